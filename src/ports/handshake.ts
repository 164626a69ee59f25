/** The certificate that a server showed in a TLS handshake. */
export interface ShownCertificate {
  /** Lower-case hex without leading zeros. */
  readonly serial: string
  /** RFC 3339. */
  readonly notAfter: string
}

/** Looks at a server from outside, as its callers see it. */
export interface Handshakes {
  /**
   * One TLS handshake with the name in SNI; the chain is not verified, for it is looked at, not trusted. Undefined when the
   * address cannot be reached from here or may not be called.
   */
  look(host: string, port: number, serverName: string): Promise<ShownCertificate | undefined>
}
