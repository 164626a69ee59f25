import type { PodLogOptions } from '../../ports/cluster-api.ts'
import { isPortError, PortError } from '../../ports/port-error.ts'
import type { Connection } from './connection.ts'
import { pathPart } from './resources.ts'

/**
 * The log of a Pod's container, by a plain GET: the library's own method knows no `sinceTime`, which the server does. What the
 * server answers 400 is of the Pod (its container has not started, or there are several and none was named), not of us.
 */
export async function readPodLog(
  { sendText, system }: Connection,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  { container, sinceTime, tailLines, limitBytes }: PodLogOptions,
): Promise<string> {
  const path = `/api/v1/namespaces/${pathPart(namespace, system)}/pods/${pathPart(name, system)}/log`
  const query = {
    ...{ container, sinceTime, timestamps: 'true' },
    tailLines: tailLines === undefined ? undefined : String(tailLines),
    limitBytes: limitBytes === undefined ? undefined : String(limitBytes),
  }
  try {
    // The log is text; a refusal is JSON.
    return await sendText({ method: 'GET', path, query, accept: 'text/plain, application/json, */*' })
  } catch (error) {
    if (!isPortError(error, 'invalid')) throw error
    throw new PortError('unavailable', system, error.message, { reason: 'NoLog', cause: error })
  }
}
