import type { JWTVerifyGetKey } from 'jose'

/**
 * The public keys by which an issuer's tokens are checked: given a token's header, the key that it names. Made to be
 * handed to `jose.jwtVerify`. Throws jose's `JWKSNoMatchingKey` (or another JOSEError) when the header names no key of
 * the issuer, and PortError `unavailable` when the keys cannot be had.
 */
export type TokenKeys = JWTVerifyGetKey
