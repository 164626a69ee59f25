/** Each certificate of a PEM text, as it stands there. */
export function certificatesOf(pem: string): readonly string[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\r?\n?/g)].map(([one]) => one)
}
