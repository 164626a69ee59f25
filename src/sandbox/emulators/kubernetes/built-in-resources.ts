import * as defaults from './built-in-defaults.ts'
import * as shapes from './built-in-shapes.ts'
import type { JsonObject, KubernetesObject } from './json.ts'
import type { ResourceType } from './resource-type.ts'
import { secretErrors, undecodableSecret } from './secrets.ts'

type Options = Partial<ResourceType> & Pick<ResourceType, 'shape'>

/** A built-in type: the singular is the kind in lower case, the plural the singular with an s, unless told otherwise. */
function builtIn(group: string, version: string, kind: string, options: Options): ResourceType {
  const singular = kind.toLowerCase()
  const common = { singular, plural: `${singular}s`, namespaced: true, status: false, custom: false }
  return { group, version, kind, ...common, ...options }
}

const specOf = (object: KubernetesObject): JsonObject => ({ spec: object.spec })
const emptyTemplate = { metadata: {}, spec: { containers: null } }
const noNodes = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 }
const noPods = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }

/**
 * The types that every cluster of the sandbox serves besides those of its CRDs.
 * Without `selfsubjectaccessreviews`, which hold no objects (`access.ts`).
 */
export const builtInResources: readonly ResourceType[] = [
  builtIn('', 'v1', 'Namespace', {
    namespaced: false,
    names: 'label',
    shortNames: ['ns'],
    shape: shapes.namespaceShape,
    status: true,
    initialStatus: { phase: 'Active' },
    zero: { spec: {}, status: {} },
    selectable: ['status.phase'],
    complete: defaults.completeNamespace,
    allocate: defaults.allocateNamespace,
  }),
  builtIn('', 'v1', 'Service', {
    names: 'label',
    shortNames: ['svc'],
    categories: ['all'],
    shape: shapes.serviceShape,
    status: true,
    initialStatus: { loadBalancer: {} },
    zero: { spec: {}, status: { loadBalancer: {} } },
    omitEmpty: ['spec.selector', 'spec.ports'],
    selectable: ['spec.clusterIP', 'spec.type'],
    deleteAnswersObject: true,
    putCreates: true,
    complete: defaults.completeService,
    allocate: defaults.allocateService,
  }),
  builtIn('', 'v1', 'Pod', {
    shortNames: ['po'],
    categories: ['all'],
    shape: shapes.podShape,
    status: true,
    initialStatus: { phase: 'Pending', qosClass: 'BestEffort' },
    generationOf: specOf,
    zero: { spec: { containers: null }, status: {} },
    selectable: ['spec.nodeName', 'spec.serviceAccountName', 'status.phase', 'status.podIP'],
    deleteAnswersObject: true,
    complete: defaults.completePod,
  }),
  builtIn('', 'v1', 'Endpoints', {
    singular: 'endpoints',
    plural: 'endpoints',
    shortNames: ['ep'],
    shape: shapes.endpointsShape,
    putCreates: true,
  }),
  builtIn('', 'v1', 'ConfigMap', {
    shortNames: ['cm'],
    shape: shapes.configMapShape,
    omitEmpty: ['data', 'binaryData'],
  }),
  builtIn('', 'v1', 'Secret', {
    shape: shapes.secretShape,
    omitEmpty: ['data'],
    selectable: ['type'],
    complete: defaults.completeSecret,
    undecodable: undecodableSecret,
    validate: secretErrors,
  }),
  builtIn('', 'v1', 'ServiceAccount', {
    shortNames: ['sa'],
    shape: shapes.serviceAccountShape,
    deleteAnswersObject: true,
  }),
  builtIn('', 'v1', 'Event', {
    shortNames: ['ev'],
    shape: shapes.eventShape,
    putCreates: true,
    zero: { involvedObject: {}, source: {} },
    selectable: ['involvedObject.kind', 'involvedObject.name', 'involvedObject.namespace', 'reason', 'type'],
  }),
  builtIn('discovery.k8s.io', 'v1', 'EndpointSlice', {
    shape: shapes.endpointSliceShape,
    zero: { addressType: '', endpoints: null, ports: null },
    generationOf: ({ metadata, addressType, endpoints, ports }) => ({
      labels: metadata.labels,
      addressType,
      endpoints,
      ports,
    }),
  }),
  builtIn('apps', 'v1', 'Deployment', {
    shortNames: ['deploy'],
    categories: ['all'],
    shape: shapes.deploymentShape,
    status: true,
    initialStatus: {},
    generationOf: (object) => ({ ...specOf(object), annotations: object.metadata.annotations }),
    zero: { spec: { selector: null, strategy: {}, template: emptyTemplate }, status: {} },
    complete: defaults.completeDeployment,
  }),
  builtIn('apps', 'v1', 'ReplicaSet', {
    shortNames: ['rs'],
    categories: ['all'],
    shape: shapes.replicaSetShape,
    status: true,
    initialStatus: { replicas: 0 },
    generationOf: specOf,
    zero: { spec: { selector: null, template: emptyTemplate }, status: { replicas: 0 } },
    complete: defaults.completeTemplate,
  }),
  builtIn('apps', 'v1', 'StatefulSet', {
    shortNames: ['sts'],
    categories: ['all'],
    shape: shapes.statefulSetShape,
    status: true,
    initialStatus: { replicas: 0, availableReplicas: 0 },
    generationOf: specOf,
    zero: {
      spec: { selector: null, template: emptyTemplate, serviceName: '', updateStrategy: {} },
      status: { replicas: 0, availableReplicas: 0 },
    },
    complete: defaults.completeTemplate,
  }),
  builtIn('apps', 'v1', 'DaemonSet', {
    shortNames: ['ds'],
    categories: ['all'],
    shape: shapes.daemonSetShape,
    status: true,
    initialStatus: noNodes,
    generationOf: specOf,
    zero: { spec: { selector: null, template: emptyTemplate, updateStrategy: {} }, status: noNodes },
    complete: defaults.completeTemplate,
  }),
  builtIn('autoscaling', 'v2', 'HorizontalPodAutoscaler', {
    shortNames: ['hpa'],
    categories: ['all'],
    shape: shapes.autoscalerShape,
    status: true,
    initialStatus: { desiredReplicas: 0, currentMetrics: null },
    zero: { spec: { scaleTargetRef: { kind: '', name: '' }, maxReplicas: 0 }, status: { desiredReplicas: 0 } },
    complete: defaults.completeAutoscaler,
  }),
  builtIn('policy', 'v1', 'PodDisruptionBudget', {
    shortNames: ['pdb'],
    shape: shapes.disruptionBudgetShape,
    revisionRequired: true,
    status: true,
    initialStatus: noPods,
    generationOf: specOf,
    zero: { spec: {}, status: noPods },
  }),
  builtIn('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition', {
    namespaced: false,
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    shape: shapes.crdShape,
    revisionRequired: true,
    status: true,
    initialStatus: {},
    generationOf: specOf,
    zero: { spec: { group: '', names: { plural: '', kind: '' }, scope: '', versions: null }, status: {} },
    complete: defaults.completeDefinition,
    allocate: defaults.allocateDefinition,
  }),
]
