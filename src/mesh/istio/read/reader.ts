import type { KubeObject } from '../../../model/kube.ts'
import type { KubeService } from '../../read/kube-service.ts'
import type { Meaning } from '../../read/meaning.ts'
import type { Reader, Reading } from '../../read/reader.ts'
import { present } from '../../read/values.ts'
import {
  AUTHORIZATION_POLICY,
  DESTINATION_RULE,
  ENVOY_FILTER,
  GATEWAY,
  HTTP_ROUTE,
  PEER_AUTHENTICATION,
  REQUEST_AUTHENTICATION,
  SERVICE_ENTRY,
  SIDECAR,
  serviceHost,
  TELEMETRY,
  VIRTUAL_SERVICE,
} from '../names.ts'
import { chooseObjects, isHostOf, leftObjects } from './choose.ts'
import { connectionsMeaning, readConnections } from './connections.ts'
import { routesMeaning } from './routes-meaning.ts'
import { readRules, rulesMeaning } from './rules.ts'
import { policiesMeaning, readPolicies } from './security.ts'
import { readRoutes } from './traffic.ts'

/** Objects of Istio that others wrote. */
export const istioReader: Reader = {
  kinds: [
    VIRTUAL_SERVICE,
    DESTINATION_RULE,
    PEER_AUTHENTICATION,
    REQUEST_AUTHENTICATION,
    AUTHORIZATION_POLICY,
    SIDECAR,
    TELEMETRY,
    SERVICE_ENTRY,
    GATEWAY,
    HTTP_ROUTE,
    ENVOY_FILTER,
    { apiVersion: 'extensions.istio.io/v1alpha1', kind: 'WasmPlugin' },
  ],
  choose: chooseObjects,
  left: leftObjects,
  read: readObjects,
  meaning,
  standsAlone: {
    'mutual TLS': '/security/mtls',
    tokens: '/security/authentication',
    'who may call': '/security/authorization',
    'unlisted hosts': '/egress/unlisted',
    telemetry: '/telemetry',
  },
}

function readObjects(service: KubeService, objects: readonly KubeObject[]): Reading {
  const { route, rule } = routing(service, objects)
  const { hosts, traffic, ...versions } = readRoutes(service, route, rule)
  const { mtls, issuers, unlisted, telemetry } = readPolicies(objects)
  const { required, authorization, findings } = readRules(service, objects)
  const authentication = issuers.length === 0 ? undefined : { issuers, required }
  const all = { ...traffic, ...readConnections(rule) }
  const security = present({ mtls, authentication, authorization })
  return {
    draft: {
      ...versions,
      workload: { labels: service.selector },
      ...(hosts.length === 0 ? {} : { hosts }),
      ...(Object.keys(all).length === 0 ? {} : { traffic: all }),
      ...(Object.keys(security).length === 0 ? {} : { security }),
      ...(unlisted === undefined ? {} : { egress: { unlisted } }),
      ...(Object.keys(telemetry).length === 0 ? {} : { telemetry }),
    },
    findings,
  }
}

function meaning(service: KubeService, objects: readonly KubeObject[]): Meaning {
  const { route, rule } = routing(service, objects)
  return {
    ...routesMeaning(service, route, rule),
    ...connectionsMeaning(service, rule),
    ...policiesMeaning(objects),
    'who may call': rulesMeaning(objects),
  }
}

/** Of ours too the objects for the service's own host: egress has rules of its own. */
function routing(service: KubeService, objects: readonly KubeObject[]) {
  const host = serviceHost(service.namespace, service.name)
  return {
    route: objects.find((object) => object.kind === VIRTUAL_SERVICE.kind && object.spec?.hosts !== undefined),
    rule: objects.find(
      (object) =>
        object.kind === DESTINATION_RULE.kind &&
        (isHostOf(String(object.spec?.host), object, service) || object.spec?.host === host),
    ),
  }
}
