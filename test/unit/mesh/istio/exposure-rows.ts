import { delegateRef } from '../../../../src/mesh/istio/exposed-routes.ts'
import type { PolicyRows } from './policy-rows.ts'

const HOST = 'web.shop.svc.cluster.local'
const exposed = (more: Readonly<Record<string, unknown>> = {}) => [{ host: 'web.example.com', ...more }]
const delegate = (path: string, port?: string) => {
  const route = { namespace: 'shop', name: 'web', path, ...(port === undefined ? {} : { port }) }
  return `VirtualService ${delegateRef(route).name}`
}
const split = [{ destination: { host: HOST, subset: 'v1' }, weight: 100 }]
const ports = [
  { name: 'http', port: 80, protocol: 'http' },
  { name: 'admin', port: 8080, protocol: 'http' },
  { name: 'raw', port: 90, protocol: 'tcp' },
]
const api = { name: 'api', match: [{ path: { prefix: '/shop/api' } }, { path: { prefix: '/other' } }], timeout: '1s' }
const wide = { name: 'wide', match: [{ path: { prefix: '/' }, methods: ['POST'] }], timeout: '2s' }
const pattern = { name: 'pattern', match: [{ path: { regex: '/[a-z]+' } }], timeout: '2s' }

/** What a service brings to a cluster for gateways; what the host's own objects are is told by the tests of hosts. */
export const EXPOSURE_ROWS: PolicyRows = {
  exposure: [
    { change: { exposure: exposed() }, gives: { [delegate('/')]: { exportTo: ['*'], http: [{ route: split }] } } },
    {
      change: { exposure: exposed({ path: '/shop/' }) },
      gives: {
        [delegate('/shop')]: {
          http: [{ match: [{ uri: { exact: '/shop' } }, { uri: { prefix: '/shop/' } }], route: split }],
        },
      },
    },
    // Two hosts with one path are one delegate, for it names none.
    {
      change: { exposure: [...exposed(), ...exposed({ host: 'www.example.com' })] },
      gives: { [delegate('/')]: { http: [{ route: split }] } },
      lacks: ['hosts', 'gateways'],
    },
    // The gateway's own port is another: nothing is matched by port, and the destination names it.
    {
      change: { ports, exposure: exposed({ port: 'admin' }) },
      gives: {
        [delegate('/', 'admin')]: {
          http: [{ route: [{ destination: { host: HOST, subset: 'v1', port: { number: 8080 } }, weight: 100 }] }],
        },
      },
      lacks: ['http.0.match'],
    },
    // Routes reach no further than the path: Istio would drop one that does, and with it all that it is for.
    {
      change: { exposure: exposed({ path: '/shop' }), traffic: { routes: [api, wide] } },
      gives: {
        [delegate('/shop')]: {
          http: [
            { match: [{ uri: { exact: '/shop/api' } }, { uri: { prefix: '/shop/api/' } }], timeout: '1s' },
            {
              match: [
                { uri: { exact: '/shop' }, method: { exact: 'POST' } },
                { uri: { prefix: '/shop/' }, method: { exact: 'POST' } },
              ],
              timeout: '2s',
            },
            { match: [{ uri: { exact: '/shop' } }, { uri: { prefix: '/shop/' } }], route: split },
          ],
        },
      },
    },
    {
      change: { exposure: exposed(), traffic: { routes: [pattern] } },
      gives: { [delegate('/')]: { http: [{ match: [{ uri: { regex: '/[a-z]+' } }] }, { route: split }] } },
    },
    {
      change: { exposure: exposed({ path: '/shop' }), traffic: { routes: [pattern] } },
      refused: '/exposure/0/path',
    },
    { change: { ports, exposure: exposed({ port: 'raw' }) }, refused: '/exposure/0' },
  ],
  'exposure.tls': [
    {
      change: { exposure: exposed({ tls: { certificate: 'web-tls' } }) },
      gives: { [delegate('/')]: { http: [{ route: split }] } },
    },
  ],
  'exposure.redirectHttp': [
    {
      change: { exposure: exposed({ tls: { certificate: 'web-tls' }, redirectHttp: true }) },
      gives: { [delegate('/')]: { http: [{ route: split }] } },
    },
  ],
}
