const HIDDEN = '[hidden]'
const SECRET_NAME =
  /secret|token|password|passwd|authorization|cookie|credential|kubeconfig|connectionstring|(private|account|shared|access)key/i
const SECRET_TEXT = [
  // JSON web tokens
  /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  /(?<=\b(?:Bearer|Basic)\s)[\w.~+/=-]{8,}/gi,
  /(?<=\b(?:AccountKey|SharedAccessKey|sig|client_secret)=)[^;&\s"]+/gi,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  // PEM in base64, as Secrets of Kubernetes hold it
  /LS0tLS1CRUdJTi[\w+/=-]+/g,
  // userinfo of a URL
  /(?<=:\/\/)[^/@\s"]+(?=@)/g,
]
const maxDepth = 6
const maxText = 4000

/** A value for a log: plain JSON, without what looks like a secret, cut where it is too deep or too long. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error) return redactError(value, depth)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= maxDepth) return '[too deep]'
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.slice(0, 100).map((each) => redact(each, depth + 1))
  return redactFields(value, depth)
}

function redactFields(value: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(value).slice(0, 100)
  return Object.fromEntries(
    entries.map(([name, each]) => [name, SECRET_NAME.test(name) ? HIDDEN : redact(each, depth + 1)]),
  )
}

/** A text without what looks like a secret, cut where it is too long. */
export function redactText(text: string): string {
  const clean = SECRET_TEXT.reduce((left, pattern) => left.replace(pattern, HIDDEN), text)
  return clean.length > maxText ? `${clean.slice(0, maxText)}…` : clean
}

/** What an error says of itself and of its cause; `kind`, `reason`, `system` and `code` where it has them. */
function redactError(error: Error, depth: number): Record<string, unknown> {
  const told: Record<string, unknown> = { name: error.name, message: redactText(error.message) }
  for (const field of ['kind', 'reason', 'system', 'code'] as const) {
    const value = Reflect.get(error, field)
    if (typeof value === 'string' || typeof value === 'number') told[field] = value
  }
  if (error.name !== 'PortError' && error.stack !== undefined) told.stack = redactText(error.stack)
  if (error.cause !== undefined && depth < 3) told.cause = redact(error.cause, depth + 1)
  return told
}
