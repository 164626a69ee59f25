import type { TokenCredential } from '@azure/core-auth'
import type { HttpClient } from '@azure/core-rest-pipeline'
import type { Fetch } from './http-answer.ts'

/** What every adapter of an Azure service is given: who we are there, and what carries requests. */
export interface Azure {
  readonly credential: TokenCredential
  /** The `httpClient` option of the SDKs; absent: their own, over sockets. */
  readonly httpClient?: HttpClient
  /** For services that are called without an SDK. */
  readonly fetch: Fetch
}
