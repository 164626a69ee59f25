import type { PolicyRows } from './policy-rows.ts'

const LIMITED = {
  ports: [{ name: 'http', port: 80, protocol: 'http', targetPort: 8080 }],
  workload: { labels: { app: 'web' } },
}

/** What Istio gets for a rate limit. */
export const RATE_ROWS: PolicyRows = {
  'traffic.rateLimit': [
    {
      change: {
        ...LIMITED,
        ports: [...LIMITED.ports, { name: 'db', port: 5432, protocol: 'tcp' }],
        traffic: { rateLimit: { requests: 5, per: 'minute' } },
      },
      gives: {
        EnvoyFilter: {
          workloadSelector: { labels: { app: 'web' } },
          configPatches: [
            {
              applyTo: 'HTTP_FILTER',
              match: { context: 'SIDECAR_INBOUND', listener: { portNumber: 8080 } },
              patch: {
                operation: 'INSERT_BEFORE',
                value: {
                  typed_config: {
                    value: { token_bucket: { max_tokens: 5, tokens_per_fill: 5, fill_interval: '60s' } },
                  },
                },
              },
            },
          ],
        },
      },
    },
    {
      change: { ...LIMITED, traffic: { rateLimit: { requests: 5, per: 'second', burst: 9 } } },
      gives: {
        EnvoyFilter: {
          configPatches: [
            { patch: { value: { typed_config: { value: { token_bucket: { max_tokens: 9, fill_interval: '1s' } } } } } },
          ],
        },
      },
    },
    { change: { ...LIMITED, traffic: {} }, gives: { DestinationRule: {} }, without: ['EnvoyFilter'] },
    {
      change: { ...LIMITED, traffic: { rateLimit: { requests: 5, per: 'second', burst: 4 } } },
      refused: '/traffic/rateLimit/burst',
    },
    {
      change: {
        ...LIMITED,
        ports: [{ name: 'http', port: 80, protocol: 'http' }],
        traffic: { rateLimit: { requests: 5, per: 'hour' } },
      },
      refused: '/ports/0/targetPort',
    },
    {
      change: {
        ...LIMITED,
        ports: [{ name: 'db', port: 80, protocol: 'tcp', targetPort: 80 }],
        traffic: { rateLimit: { requests: 5, per: 'hour' } },
      },
      refused: '/traffic/rateLimit',
    },
    { change: { traffic: { rateLimit: { requests: 5, per: 'second' } } }, refused: '/workload' },
  ],
}
