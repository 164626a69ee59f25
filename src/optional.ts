/** A field that is left out where it has no value: for options that tell absent and undefined apart. */
export function optional<K extends string, V>(name: K, value: V | undefined): { readonly [key in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in K]?: V }
}
