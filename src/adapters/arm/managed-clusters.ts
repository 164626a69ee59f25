import type { ContainerServiceClient } from '@azure/arm-containerservice'
import type { ManagedClusterFacts } from '../../model/cluster.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ClusterEndpoint, ManagedClusters } from '../../ports/managed-clusters.ts'
import type { Azure } from '../azure.ts'
import { withDeadline } from '../deadline.ts'
import { armFailure } from './arm-failure.ts'
import { factsOf } from './cluster-facts.ts'
import { keptAnswers } from './kept-answers.ts'
import { pauses } from './pauses.ts'
import { type ClusterId, parseClusterId } from './resource-id.ts'

const deadlineMs = 10_000
const MINUTE = 60_000
const FACTS = { keepMs: 2 * MINUTE, keepFailureMs: 10_000 }
/** An endpoint changes with the cluster's making and its CA alone, and who asks may say that it does not work. */
const ENDPOINT = { keepMs: 60 * MINUTE, keepFailureMs: 10_000 }

/** AKS clusters by @azure/arm-containerservice, which is loaded at the first question. */
export function armManagedClusters(azure: Azure, clock: Clock): ManagedClusters {
  const client = clients(azure)
  const keptFacts = keptAnswers<ManagedClusterFacts>(clock, FACTS)
  const keptEndpoint = keptAnswers<ClusterEndpoint>(clock, ENDPOINT)
  const unlessThrottled = pauses(clock)

  async function ask<T>(
    resourceId: string,
    bucketOf: (id: ClusterId) => string,
    call: (clusters: ContainerServiceClient['managedClusters'], id: ClusterId, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const id = parseClusterId(resourceId, 'Azure')
    const system = systemOf(id)
    return unlessThrottled(bucketOf(id).toLowerCase(), system, async () => {
      try {
        const { managedClusters } = await client(id.subscription)
        return await withDeadline(clock, deadlineMs, system, (signal) => call(managedClusters, id, signal))
      } catch (error) {
        throw armFailure(system, error, clock.now())
      }
    })
  }

  return {
    facts: (resourceId, maxAgeMs) =>
      keptFacts(resourceId.toLowerCase(), maxAgeMs, () =>
        ask(
          resourceId,
          () => resourceId,
          async (clusters, id, abortSignal) =>
            factsOf(await clusters.get(id.resourceGroup, id.name, { abortSignal }), systemOf(id)),
        ),
      ),
    endpoint: (resourceId, maxAgeMs) =>
      keptEndpoint(resourceId.toLowerCase(), maxAgeMs, () =>
        ask(resourceId, ({ subscription }) => subscription, readEndpoint),
      ),
  }
}

async function readEndpoint(
  clusters: ContainerServiceClient['managedClusters'],
  id: ClusterId,
  abortSignal: AbortSignal,
): Promise<ClusterEndpoint> {
  const { endpointOf } = await import('./cluster-endpoint.ts')
  const { resourceGroup, name } = id
  const answer = await clusters.listClusterUserCredentials(resourceGroup, name, { format: 'exec', abortSignal })
  const [kubeconfig] = answer.kubeconfigs ?? []
  return endpointOf(Buffer.from(kubeconfig?.value ?? []).toString('utf8'), systemOf(id))
}

function systemOf({ name }: ClusterId): string {
  return `Azure (cluster ${name})`
}

/** One client a subscription. They try once: whoever asks decides about the next try. */
function clients({ credential, httpClient }: Azure): (subscription: string) => Promise<ContainerServiceClient> {
  const made = new Map<string, Promise<ContainerServiceClient>>()
  const make = async (subscription: string) => {
    const { ContainerServiceClient } = await import('@azure/arm-containerservice')
    const options = { retryOptions: { maxRetries: 0 }, ...(httpClient ? { httpClient } : {}) }
    return new ContainerServiceClient(credential, subscription, options)
  }
  return (subscription) => {
    const client = made.get(subscription) ?? make(subscription)
    made.set(subscription, client)
    return client
  }
}
