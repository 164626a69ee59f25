import { PortError } from '../ports/port-error.ts'

/** How @azure/identity names that it has no token to give. */
const CREDENTIAL_ERRORS = [
  'CredentialUnavailableError',
  'AuthenticationError',
  'AggregateAuthenticationError',
  'AuthenticationRequiredError',
]

/** The PortError `denied` (`TokenRefused`) for an error of a credential; undefined for any other. Its own words are left out. */
export function noToken(system: string, error: unknown): PortError | undefined {
  if (!(error instanceof Error) || !CREDENTIAL_ERRORS.includes(error.name)) return undefined
  return new PortError('denied', system, `${system}: Entra ID gave no token (${error.name})`, {
    reason: 'TokenRefused',
  })
}
