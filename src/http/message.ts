/** An HTTP request as routes see it, whatever host it came through. */
export interface HttpRequest {
  /** Upper case. */
  readonly method: string
  /** Without the query, as it was sent: escapes are not undone. */
  readonly path: string
  readonly query: URLSearchParams
  /** Names in lower case; several of one name are joined by ", ". */
  readonly headers: Readonly<Record<string, string>>
  /** Scheme and host by which the caller reached us: for absolute links. */
  readonly baseUrl: string
  /** Reads the body; undefined as soon as it is longer than `mostBytes`. */
  readonly body: (mostBytes: number) => Promise<Uint8Array | undefined>
  /** Aborted when the caller goes away. */
  readonly signal?: AbortSignal
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** An iterable is sent piece by piece as it comes (server-sent events). */
  readonly body?: string | AsyncIterable<string>
}
