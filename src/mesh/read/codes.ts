import type { Severity } from '../lint/codes.ts'
import type { Finding } from '../lint/finding.ts'

interface ImportRule {
  readonly severity: Severity
  readonly words: string
  readonly fix: string
}

const rule = (severity: Severity, words: string, fix: string): ImportRule => ({ severity, words, fix })

/** Every code that an import gives; docs/import.md shows the same. */
export const IMPORT_RULES = {
  NotCarried: rule(
    'error',
    'something has no words in the service, and would be lost if the service were managed',
    'Say it in another way first, or leave the service in observe.',
  ),
  Differs: rule(
    'error',
    'what Meshwright would write has another effect',
    'Correct the service by PATCH until its plan shows what you want, or leave it in observe.',
  ),
  Added: rule(
    'warning',
    'Meshwright would write more than is there',
    'Look at the plan of the service before it is managed.',
  ),
  StaysWithOwner: rule(
    'warning',
    'an object could not be carried over whole; it stays in force beside what Meshwright writes',
    'Keep it, or say it in the service and remove it.',
  ),
  LeftOut: rule(
    'warning',
    'a field of the service was left out, for the schema or the mesh refuses it',
    'See the reason; the objects that say it are named beside.',
  ),
  NotInForce: rule('warning', 'another object for the same host is taken by the mesh', 'Remove one of the two.'),
  OtherNamespace: rule(
    'warning',
    'an object in the namespace of others decides about the service',
    'Its owner must remove it before the service can be managed.',
  ),
  NamespaceWide: rule(
    'info',
    'an object is for a whole namespace or the whole mesh; it stays in force',
    'Keep it, or say it in a policy for the namespace: PUT /policies/{name}.',
  ),
  GatewayRoute: rule(
    'info',
    'a route of gateways is not read; it stays in force',
    'Add exposure to the service once its gateway is named on the cluster.',
  ),
  GatewayUnnamed: rule(
    'warning',
    'a route is at a Gateway that the cluster does not name, so no exposure can be said',
    'Name the Gateway in mesh.gateways of the cluster, then import again.',
  ),
  Unattached: rule('info', 'an object is for no one service; it stays in force', 'Keep it with its owner.'),
  NotRead: rule(
    'warning',
    'an object is of a kind that is not read; it stays in force, whatever it does',
    'Look at it before services are managed.',
  ),
  TrustDomain: rule(
    'warning',
    'a rule names a trust domain, and service accounts are meant in any',
    'Nothing, where the mesh has one trust domain alone.',
  ),
  ProtocolAssumed: rule('info', 'a port does not say what it speaks', 'Set appProtocol on the Service.'),
  PortLeftOut: rule('info', 'a port is none of TCP; the mesh does not route it', 'Nothing.'),
  NoPods: rule(
    'error',
    'the Kubernetes Service selects no Pods, so there are no versions to tell',
    'Register the service by hand, or leave it with its owner.',
  ),
  NoTeam: rule(
    'error',
    'no team owns the namespace, or several do',
    'Name the team in the body, or PUT /teams/{team}.',
  ),
  AlreadyRegistered: rule(
    'info',
    'the service is registered, and stays as it is',
    'Compare its plan with what is there; PATCH it, or add the cluster to it.',
  ),
  NotSeen: rule(
    'warning',
    'something could not be looked at',
    'Give Meshwright the right to list it; GET /clusters/{cluster}/access?for=import lists what is missing.',
  ),
} as const satisfies Readonly<Record<string, ImportRule>>
export type ImportCode = keyof typeof IMPORT_RULES

/** Something that an import has to say. `field` is a JSON pointer into the object that is named. */
export type ImportFinding = Finding

interface Where {
  /** `VirtualService shop/web`. */
  readonly object?: string | undefined
  readonly field?: string | undefined
  readonly fix?: string | undefined
}

/** A finding with severity and fix as the table has them. */
export function importFinding(code: ImportCode, message: string, { object, field, fix }: Where = {}): ImportFinding {
  const { severity, fix: usual } = IMPORT_RULES[code]
  return {
    code,
    severity,
    ...(object === undefined ? {} : { object }),
    ...(field === undefined ? {} : { field }),
    message,
    fix: fix ?? usual,
  }
}
