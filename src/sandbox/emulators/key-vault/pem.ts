/** Blocks of a PEM text by label, in their order. */
export interface PemBlock {
  readonly label: string
  /** DER, base64 in one line. */
  readonly base64: string
}

export function readPem(text: string): readonly PemBlock[] {
  return [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----/g)].map(
    ([, label = '', body = '']) => ({ label, base64: body.replace(/\s+/g, '') }),
  )
}

/** One block as PEM, with a line end at its end. */
export function pem(label: string, base64: string): string {
  const lines = base64.match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
