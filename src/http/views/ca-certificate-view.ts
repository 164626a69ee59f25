import * as z from 'zod'
import { time } from './common.ts'

/** A root or a signer of a mesh, as far as it is public. */
export const caCertificateView = z
  .object({
    serial: z.string().describe('Lower-case hex without leading zeros'),
    fingerprint: z.string().describe('SHA-256 of the DER, lower-case hex'),
    subject: z.string(),
    notBefore: time,
    notAfter: time,
  })
  .meta({ id: 'CaCertificate' })
