import { canonicalJson } from '../../../model/digest.ts'
import { jsonPointer } from '../../../model/json-pointer.ts'
import { type KubeObject, refOf } from '../../../model/kube.ts'
import type { Meaning, Statement } from '../../read/meaning.ts'
import { type Fields, fieldsOf, listOf, present, stringsOf } from '../../read/values.ts'
import { DRY_RUN, isDryRun } from '../dry-run.ts'
import { AUTHORIZATION_POLICY, PEER_AUTHENTICATION, REQUEST_AUTHENTICATION, SIDECAR, TELEMETRY } from '../names.ts'

const MODES: Readonly<Record<string, string>> = { STRICT: 'strict', PERMISSIVE: 'permissive', DISABLE: 'disabled' }

/** Objects of a kind that choose the Pods of a service. */
export function ofKind(objects: readonly KubeObject[], { kind }: { readonly kind: string }): readonly KubeObject[] {
  return objects.filter((object) => object.kind === kind)
}

/** AuthorizationPolicies that count; those that are tried only log what they would do. */
export function enforced(objects: readonly KubeObject[]): readonly KubeObject[] {
  return ofKind(objects, AUTHORIZATION_POLICY).filter((policy) => !isDryRun(policy))
}

/** A service has no words for an AuthorizationPolicy that is tried only. */
export function triedStatements(objects: readonly KubeObject[]): readonly Statement[] {
  return ofKind(objects, AUTHORIZATION_POLICY)
    .filter(isDryRun)
    .map((policy) => ({
      key: `dry-run ${policy.metadata.name}`,
      value: {},
      at: { object: refOf(policy), pointer: jsonPointer(['metadata', 'annotations', DRY_RUN]) },
    }))
}

/** The issuers whose tokens RequestAuthentications take. */
export function issuersOf(objects: readonly KubeObject[]): readonly string[] {
  const rules = ofKind(objects, REQUEST_AUTHENTICATION).flatMap(({ spec }) => listOf(spec?.jwtRules))
  return [...new Set(rules.map(({ issuer }) => String(issuer)))]
}

/** `security.mtls`, `security.authentication` without `required`, `egress.unlisted` and `telemetry`, as far as they have words. */
export function readPolicies(objects: readonly KubeObject[]): {
  readonly mtls: unknown
  readonly issuers: readonly Fields[]
  readonly unlisted: unknown
  readonly telemetry: Fields
} {
  const [peer] = ofKind(objects, PEER_AUTHENTICATION)
  const rules = ofKind(objects, REQUEST_AUTHENTICATION).flatMap(({ spec }) => listOf(spec?.jwtRules))
  const outbound = fieldsOf(ofKind(objects, SIDECAR)[0]?.spec?.outboundTrafficPolicy)
  return {
    mtls: MODES[String(fieldsOf(peer?.spec?.mtls).mode)],
    issuers: rules.map(readIssuer),
    unlisted: ({ REGISTRY_ONLY: 'deny', ALLOW_ANY: 'allow' } as Fields)[String(outbound.mode)],
    telemetry: readTelemetry(fieldsOf(ofKind(objects, TELEMETRY)[0]?.spec)),
  }
}

const TENANT = /^https:\/\/login\.microsoftonline\.com\/([0-9a-f-]{36})\/v2\.0$/

function readIssuer({ issuer, jwksUri, audiences, forwardOriginalToken }: Fields): Fields {
  const rest = present({ audiences, forwardToken: forwardOriginalToken === true ? true : undefined })
  const tenant = TENANT.exec(String(issuer))?.[1]
  if (tenant !== undefined && jwksUri === `https://login.microsoftonline.com/${tenant}/discovery/v2.0/keys`)
    return { entra: { tenant, ...rest } }
  return present({ issuer, jwksUri, ...rest })
}

function readTelemetry({ accessLogging, tracing }: Fields): Fields {
  const [log] = listOf(accessLogging)
  const [trace] = listOf(tracing)
  const percent = trace?.randomSamplingPercentage
  const filter = fieldsOf(log?.filter).expression
  const level = log?.disabled === true ? 'off' : filter === undefined ? 'all' : 'errors'
  return present({
    accessLog: log === undefined ? undefined : level,
    tracing: percent === undefined ? undefined : { samplePercent: percent },
  })
}

/** What these objects say, each whole: there is one of a kind for a Pod. */
export function policiesMeaning(objects: readonly KubeObject[]): Meaning {
  const whole = (kind: { readonly kind: string }) => ({
    statements: ofKind(objects, kind).flatMap((object) => furtherStatements(object, [])),
  })
  return {
    'mutual TLS': whole(PEER_AUTHENTICATION),
    'unlisted hosts': whole(SIDECAR),
    telemetry: whole(TELEMETRY),
    tokens: { statements: ofKind(objects, REQUEST_AUTHENTICATION).flatMap(tokenStatements) },
  }
}

/** Fields of the spec of an object beside those that are read, those of its selector too. */
export function furtherStatements(object: KubeObject, known: readonly string[]): readonly Statement[] {
  const { selector, workloadSelector, ...spec } = object.spec ?? {}
  const { matchLabels: _, ...chosen } = fieldsOf(selector)
  const { labels: _l, ...workload } = fieldsOf(workloadSelector)
  const rest = {
    ...Object.fromEntries(Object.entries(spec).filter(([field]) => !known.includes(field))),
    ...chosen,
    ...workload,
  }
  return Object.entries(rest).map(([field, value]) => ({
    key: field,
    value: { [field]: value },
    at: { object: refOf(object), pointer: '/spec' },
  }))
}

function tokenStatements(object: KubeObject): readonly Statement[] {
  const rules = listOf(object.spec?.jwtRules).map((rule, index): Statement => {
    const { audiences, forwardOriginalToken, ...rest } = rule
    const value = present({
      ...rest,
      audiences: audiences === undefined ? undefined : [...stringsOf(audiences)].sort(),
      forwardOriginalToken: forwardOriginalToken === true ? true : undefined,
    })
    return { key: canonicalJson(rule.issuer), value, at: { object: refOf(object), pointer: `/spec/jwtRules/${index}` } }
  })
  return [...rules, ...furtherStatements(object, ['jwtRules'])]
}
