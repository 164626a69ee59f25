import { describeRef, type KubeObject, refOf } from '../../model/kube.ts'
import { type Container, type PodSpec, specOf } from './deployment.ts'
import type { WorkloadProblem } from './workloads.ts'

type Images = Readonly<Record<string, string>>

/** A Pod's spec with other images, by container; `''` stands for the only container. The others keep theirs. */
export function withImages(pod: PodSpec, images: Images): PodSpec {
  const only = pod.containers?.length === 1 ? images[''] : undefined
  const change = (containers: readonly Container[], all?: string) =>
    containers.map((container) => {
      const image = images[container.name] ?? all
      return image === undefined ? container : { ...container, image }
    })
  return {
    ...pod,
    ...(pod.containers ? { containers: change(pod.containers, only) } : {}),
    ...(pod.initContainers ? { initContainers: change(pod.initContainers) } : {}),
  }
}

/** Why the containers that get an image cannot be told; undefined when they can. */
export function containerProblem(source: KubeObject, images: Images): WorkloadProblem | undefined {
  const { containers = [], initContainers = [] } = specOf(source).template?.spec ?? {}
  const ref = describeRef(refOf(source))
  const names = containers.map(({ name }) => name)
  if (images[''] !== undefined && names.length !== 1) {
    const message = `The Pods of ${ref} have the containers ${names.join(', ')}; which of them gets the image is not said.`
    const fix = `Name the container, as in "image": { "${names[0] ?? 'web'}": "…" }.`
    return { reason: 'ContainerNotNamed', message, fix }
  }
  const all = [...names, ...initContainers.map(({ name }) => name)]
  const unknown = Object.keys(images).filter((name) => name !== '' && !all.includes(name))
  if (unknown.length === 0) return undefined
  const message = `The Pods of ${ref} have no container ${unknown.join(', ')}; they have ${all.join(', ')}.`
  return { reason: 'ContainerUnknown', message, fix: 'Name one of these.' }
}
