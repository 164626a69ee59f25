/**
 * Gauge of the identity controller (`pkg/identity/service.go`): seconds until the end of the issuer that it signs with, counted
 * when it is scraped.
 */
export const ISSUER_ENDS = ['issuer_cert_ttl_seconds']

/**
 * Connections that a proxy could not take in (`linkerd/app/inbound/src/metrics/error.rs`). A handshake that fails, because the
 * one or the other side does not trust what it is shown, is counted here, on the side of the server; so are connections that
 * break for other reasons. What the caller's proxy counts (`tcp_close_total`) begins only after the handshake.
 */
export const FAILED_HANDSHAKES = ['inbound_tcp_errors_total{error="i/o"}']
