/** The sink of logs that every host reads. */
export function standardError(_level: string, line: string): void {
  process.stderr.write(`${line}\n`)
}
