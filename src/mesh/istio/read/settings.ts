import { RETRY_REASONS } from '../../../model/policy/traffic.ts'
import { type Fields, fieldsOf, isMap, neutralDuration, present } from '../../read/values.ts'
import { GRPC_STATUS } from '../route-settings.ts'
import { copiesOf, copyPercent, faultPercent, plainRetries } from './routes-meaning.ts'

/** What an http route does, as a route of the policy says it. What has no words is left out here, and found by comparison. */
export function neutralSettings(
  route: Fields,
  matches: readonly Fields[],
  versionOf: (destination: unknown) => string | undefined,
): Fields {
  if (route.redirect !== undefined) return { redirect: neutralRedirect(fieldsOf(route.redirect)) }
  return present({
    timeout: route.timeout === undefined || route.timeout === '0s' ? undefined : neutralDuration(route.timeout),
    retries: route.retries === undefined ? undefined : neutralRetries(fieldsOf(route.retries)),
    fault: route.fault === undefined ? undefined : neutralFault(fieldsOf(route.fault)),
    mirror: neutralMirror(route, versionOf),
    rewrite: route.rewrite === undefined ? undefined : neutralRewrite(fieldsOf(route.rewrite), matches),
  })
}

function neutralRedirect({ scheme, authority, port, uri, redirectCode = 301 }: Fields): Fields {
  return present({ scheme, host: authority, port, path: uri, status: redirectCode })
}

/** All that is tried again is named, so nothing hangs on what Istio or Meshwright take where nothing is said. */
function neutralRetries(retries: Fields): Fields | undefined {
  const { attempts, perTryTimeout, on } = plainRetries(retries)
  if (attempts === 0) return { attempts }
  const named = (on as readonly string[]).map((reason) => (isReason(reason) ? reason : `grpc-${reason}`))
  if (!named.every(isReason)) return undefined
  const tries = perTryTimeout === undefined ? {} : { perTryTimeout: neutralDuration(retries.perTryTimeout) }
  return { attempts, ...tries, on: named, nonIdempotent: true }
}

function isReason(reason: string): boolean {
  return (RETRY_REASONS as readonly string[]).includes(reason)
}

/** Undefined: it does nothing. */
function neutralFault({ delay, abort }: Fields): Fields | undefined {
  const percentOf = (part: Fields) => asNumber(faultPercent(part))
  const [wait, error] = [fieldsOf(delay), fieldsOf(abort)]
  const grpcStatus = GRPC_STATUS.indexOf(String(error.grpcStatus))
  const fault = present({
    delay: percentOf(wait) === 0 ? undefined : { for: neutralDuration(wait.fixedDelay), percent: percentOf(wait) },
    abort:
      percentOf(error) === 0
        ? undefined
        : present({
            percent: percentOf(error),
            status: error.httpStatus,
            grpcStatus: error.grpcStatus === undefined ? undefined : grpcStatus,
          }),
  })
  return Object.keys(fault).length === 0 ? undefined : fault
}

/** Of a percentage with further fields too. */
function asNumber(percent: unknown): unknown {
  return isMap(percent) ? percent.value : percent
}

/** One copy for a version of the service; more have no words. */
function neutralMirror(route: Fields, versionOf: (destination: unknown) => string | undefined): Fields | undefined {
  const [only, ...more] = copiesOf(route)
  const version = only && more.length === 0 ? versionOf(only.destination) : undefined
  return version === undefined ? undefined : { version, percent: asNumber(copyPercent(only?.percentage)) }
}

function neutralRewrite({ uri, authority, uriRegexRewrite }: Fields, matches: readonly Fields[]): Fields | undefined {
  const path = neutralPath(uri, fieldsOf(uriRegexRewrite), matches)
  const found = present({ path, host: authority })
  return Object.keys(found).length === 0 ? undefined : found
}

/**
 * What comes in place of the path. Where Istio replaces a prefix of characters that is no prefix of whole segments, comparison finds
 * that the two differ.
 */
function neutralPath(uri: unknown, { match, rewrite }: Fields, matches: readonly Fields[]): unknown {
  if (uri !== undefined) return matches.some((one) => fieldsOf(one.uri).exact !== undefined) ? uri : undefined
  return typeof match === 'string' ? rewrite : undefined
}
