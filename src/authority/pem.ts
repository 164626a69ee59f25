/** One block of a PEM text. */
export interface PemBlock {
  /** `CERTIFICATE`, `EC PRIVATE KEY`… */
  readonly label: string
  readonly der: Uint8Array
}

/** A PEM text as Go's `encoding/pem` sees it, which istiod and the agents read with. */
export interface PemText {
  readonly blocks: readonly PemBlock[]
  /** Whether anything but blocks and space is there. Go passes over it. */
  readonly hasOther: boolean
  /** Whether something begins like a block and is none: Go would pass over it without a word. */
  readonly isBroken: boolean
}

const BEGIN = /^-----BEGIN ([A-Z0-9 ]+)-----$/
const DASHES = /-----/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** The blocks of a text, line by line: a block begins and ends on a line of its own. Bodies with headers (encrypted keys of old) are broken. */
export function readPem(text: string): PemText {
  const blocks: PemBlock[] = []
  let hasOther = false
  let isBroken = false
  let open: { readonly label: string; readonly lines: string[] } | undefined
  for (const line of text.split('\n').map((one) => one.trimEnd())) {
    const begun = BEGIN.exec(line)?.[1]
    if (open === undefined) {
      if (begun !== undefined) open = { label: begun, lines: [] }
      else if (DASHES.test(line)) isBroken = true
      else if (line !== '') hasOther = true
    } else if (line === `-----END ${open.label}-----`) {
      const body = open.lines.join('')
      if (body !== '' && BASE64.test(body)) blocks.push({ label: open.label, der: Buffer.from(body, 'base64') })
      else isBroken = true
      open = undefined
    } else if (DASHES.test(line)) {
      isBroken = true
      open = begun === undefined ? undefined : { label: begun, lines: [] }
    } else open.lines.push(line)
  }
  return { blocks, hasOther, isBroken: isBroken || open !== undefined }
}

/** One block as PEM, with a line end at its end. */
export function pemOf(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
