/** The sandbox cannot start, for a reason that its user can mend: the message says what and how. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** What to print when the start failed: a sentence for what the user can mend, everything for what they cannot. */
export function explainStart(error: unknown): string {
  if (error instanceof StartError) return error.message
  const { code, port } = error as { code?: unknown; port?: unknown }
  if (code === 'EADDRINUSE')
    return `Port ${port} is in use, perhaps by another sandbox: stop it, or choose another port with --port N.`
  if (code === 'EACCES' && port !== undefined) return `Port ${port} is not for everybody: choose one above 1023.`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
