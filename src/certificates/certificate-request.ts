/** The few bytes of ASN.1 that tell which key a CSR is for. Node reads certificates, not requests (RFC 2986). */

interface Element {
  readonly tag: number
  /** Offsets of the whole element and of its content. */
  readonly start: number
  readonly content: number
  readonly end: number
}

const SEQUENCE = 0x30

/** The public key that a CSR (PEM, PKCS #10) is for, as SPKI in DER; undefined when the text is no CSR. */
export function publicKeyOfRequest(csr: string): Buffer | undefined {
  const [, base64] = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([\s\S]+?)-----END/.exec(csr) ?? []
  if (base64 === undefined) return undefined
  const der = Buffer.from(base64, 'base64')
  const request = elementAt(der, 0)
  const info = request && request.tag === SEQUENCE ? elementAt(der, request.content) : undefined
  // CertificationRequestInfo: version, subject, subjectPKInfo, attributes.
  const version = info && info.tag === SEQUENCE ? elementAt(der, info.content) : undefined
  const subject = version && elementAt(der, version.end)
  const key = subject && elementAt(der, subject.end)
  return key && key.tag === SEQUENCE ? der.subarray(key.start, key.end) : undefined
}

function elementAt(der: Buffer, start: number): Element | undefined {
  const [tag, first] = [der[start], der[start + 1]]
  if (tag === undefined || first === undefined) return undefined
  const more = first < 0x80 ? 0 : first & 0x7f
  if (more > 4 || start + 2 + more > der.length) return undefined
  const length = more === 0 ? first : der.readUIntBE(start + 2, more)
  const content = start + 2 + more
  return content + length <= der.length ? { tag, start, content, end: content + length } : undefined
}
