/** Says a figure of the real run, for people and to be quoted; `.ci/run` gathers these lines. */
export function measured(words: string): void {
  console.log(`measured: ${words}`)
}
