/** Which outside addresses Meshwright may call. In Azure only hosts of the settings; in the local host also private ones. */
export interface AddressPolicy {
  /** Why `url` may not be called, in a sentence; undefined when it may. */
  refusal(url: string): Promise<string | undefined>
}
