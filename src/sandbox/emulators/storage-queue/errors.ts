import type { EmulatorResponse } from '../emulator.ts'
import { element, xmlDocument } from './xml.ts'

/** The refusals this emulator knows, with the service's own status and words. */
const errors = {
  AuthenticationFailed: [
    403,
    'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.',
  ],
  InvalidAuthenticationInfo: [
    401,
    'Authentication information is not given in the correct format. Check the value of Authorization header.',
  ],
  NoAuthenticationInformation: [
    401,
    'Server failed to authenticate the request. Please refer to the information in the www-authenticate header.',
  ],
  InvalidHttpVerb: [405, "The resource doesn't support the specified HTTP verb."],
  InvalidQueryParameterValue: [400, 'Value for one of the query parameters specified in the request URI is invalid.'],
  InvalidResourceName: [400, 'The specified resource name contains invalid characters.'],
  InvalidUri: [400, 'The requested URI does not represent any resource on the server.'],
  InvalidXmlDocument: [400, 'XML specified is not syntactically valid.'],
  MessageNotFound: [404, 'The specified message does not exist.'],
  MissingRequiredQueryParameter: [400, 'A query parameter that is mandatory for this request is not specified.'],
  NotImplemented: [501, 'The requested operation is not implemented on the specified resource.'],
  OutOfRangeQueryParameterValue: [
    400,
    'One of the query parameters specified in the request URI is outside the permissible range.',
  ],
  PopReceiptMismatch: [400, 'The specified pop receipt did not match the pop receipt for a dequeued message.'],
  QueueAlreadyExists: [409, 'The specified queue already exists.'],
  QueueNotFound: [404, 'The specified queue does not exist.'],
  RequestBodyTooLarge: [413, 'The request body is too large and exceeds the maximum permissible limit.'],
} as const satisfies Record<string, readonly [status: number, message: string]>

export type QueueErrorCode = keyof typeof errors

export class QueueError extends Error {
  readonly code: QueueErrorCode

  constructor(code: QueueErrorCode) {
    super(errors[code][1])
    this.name = 'QueueError'
    this.code = code
  }
}

/** The error as the service writes it, in XML and in `x-ms-error-code`. */
export function errorResponse({ code }: QueueError): EmulatorResponse {
  const [status, message] = errors[code]
  const body = xmlDocument(element('Error', element('Code', code) + element('Message', message)))
  return { status, headers: { 'content-type': 'application/xml', 'x-ms-error-code': code }, body }
}
