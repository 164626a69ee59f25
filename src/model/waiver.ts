import * as z from 'zod'

/** Checks of a write that its owner may pass knowingly, by the code of their refusal. */
export const WAIVABLE = ['PlainCallers'] as const

export const waivers = z
  .array(z.enum(WAIVABLE))
  .max(WAIVABLE.length)
  .optional()
  .describe(
    'Checks that are passed knowingly, by the code of their refusal. PlainCallers: security.mtls may become strict while callers without mutual TLS are seen; they are refused from then on',
  )
