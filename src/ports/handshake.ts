/** The certificate that a server showed in a TLS handshake. */
export interface ShownCertificate {
  /** Lower-case hex without leading zeros. */
  readonly serial: string
  /** RFC 3339. */
  readonly notAfter: string
}

/** Looks at what proxies of Pods show, from within their network. */
export interface PodHandshakes {
  /**
   * One TLS handshake as a workload of the mesh begins it, without a certificate of our own; nothing is sent after it. The leaf
   * that was shown, PEM, neither verified nor trusted; undefined when there is none, or the address may not be called. `address`
   * is one of IP.
   */
  leaf(address: string, port: number): Promise<string | undefined>
}

/** Looks at a server from outside, as its callers see it. */
export interface Handshakes {
  /**
   * One TLS handshake with the name in SNI; the chain is not verified, for it is looked at, not trusted. Undefined when the
   * address cannot be reached from here or may not be called.
   */
  look(host: string, port: number, serverName: string): Promise<ShownCertificate | undefined>
}
