import * as z from 'zod'
import { dnsLabel, hostName } from '../model/names.ts'

const LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?'

/** What every parameter of a path template must be; one that is not named here is a DNS label. */
export const PATH_PARAMETERS: Readonly<Record<string, z.ZodType<string>>> = {
  cluster: dnsLabel.describe('Name of a cluster'),
  namespace: dnsLabel.describe('Kubernetes namespace of the service'),
  name: dnsLabel,
  gateway: dnsLabel.describe('Name of a gateway, as exposures use it'),
  host: hostName.describe('Host name; a leading `*.` is a wildcard').meta({ examples: ['web.example.com'] }),
  team: dnsLabel.describe('Name of a team'),
  id: z
    .string()
    .regex(new RegExp(`^${LABEL}\\.${LABEL}\\.[a-z0-9]{1,63}$`), 'must be a rollout id: NAMESPACE.SERVICE.SUFFIX')
    .describe('Id of a rollout')
    .meta({ examples: ['shop.web.k3x7q2m5ab'] }),
  operation: z
    .string()
    .regex(/^[a-z0-9.-]{1,260}$/, 'must be an operation id as the header Operation-Location gave it')
    .describe('Id of an operation'),
  hook: z.string().max(100).describe('Name of a hook'),
}

/** The schema of a path parameter. */
export function pathParameter(name: string): z.ZodType<string> {
  return PATH_PARAMETERS[name] ?? dnsLabel
}
