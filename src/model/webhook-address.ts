/**
 * The same data with the URL of each webhook step cut to its scheme and host: paths and queries may hold secrets, so they
 * are for those alone who may write them.
 */
export function hideWebhookAddresses<T>(value: T): T {
  return hidden(value, false) as T
}

function hidden(value: unknown, isWebhook: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => hidden(item, false))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      isWebhook && name === 'url' ? schemeAndHost(field) : hidden(field, name === 'webhook'),
    ]),
  )
}

function schemeAndHost(url: unknown): unknown {
  return typeof url === 'string' ? (URL.parse(url)?.origin ?? '') : url
}
