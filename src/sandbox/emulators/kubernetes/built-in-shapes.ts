import type { Json } from './json.ts'
import type { Shape } from './shape.ts'
import { objectMeta, texts } from './shape.ts'

/**
 * List types, map types and defaults of the types that the API server brings along, as its OpenAPI document states them
 * (Kubernetes 1.36), without volumes that no cluster of ours mounts.
 */
const atomicMap: Shape = { map: 'atomic' }
const conditions: Shape = { list: ['type'] }

/** Conditions whose times are written as null when nobody set them. */
function conditionsWith(...times: readonly string[]): Shape {
  return { list: ['type'], items: { fields: Object.fromEntries(times.map((time) => [time, { default: null }])) } }
}

/** `status` with nothing but conditions worth saying. */
export const conditionedStatus: Shape = { fields: { conditions } }

const resources: Shape = {
  default: {},
  fields: { claims: { list: ['name'] }, limits: { map: 'keys' }, requests: { map: 'keys' } },
}

const env: Shape = {
  list: ['name'],
  items: {
    fields: {
      valueFrom: {
        fields: {
          configMapKeyRef: atomicMap,
          fieldRef: atomicMap,
          resourceFieldRef: atomicMap,
          secretKeyRef: atomicMap,
        },
      },
    },
  },
}

const containers: Shape = {
  list: ['name'],
  items: {
    fields: {
      env,
      ports: { list: ['containerPort', 'protocol'], items: { fields: { protocol: { default: 'TCP' } } } },
      resources,
      terminationMessagePath: { default: '/dev/termination-log' },
      terminationMessagePolicy: { default: 'File' },
      volumeDevices: { list: ['devicePath'] },
      volumeMounts: { list: ['mountPath'] },
    },
  },
}

export const podSpec: Shape = {
  fields: {
    containers,
    initContainers: containers,
    ephemeralContainers: containers,
    hostAliases: { list: ['ip'] },
    imagePullSecrets: { list: ['name'], items: atomicMap },
    nodeSelector: atomicMap,
    schedulingGates: { list: ['name'] },
    topologySpreadConstraints: { list: ['topologyKey', 'whenUnsatisfiable'] },
    volumes: { list: ['name'] },
    restartPolicy: { default: 'Always' },
    terminationGracePeriodSeconds: { default: 30 },
    dnsPolicy: { default: 'ClusterFirst' },
    securityContext: { default: {} },
    schedulerName: { default: 'default-scheduler' },
  },
}

export const podShape: Shape = {
  fields: {
    spec: { fields: { ...podSpec.fields, enableServiceLinks: { default: true } } },
    status: {
      fields: { conditions: conditionsWith('lastProbeTime', 'lastTransitionTime'), podIPs: { list: ['ip'] } },
    },
  },
}

const podTemplate: Shape = { fields: { metadata: objectMeta, spec: podSpec } }

export const deploymentShape: Shape = {
  fields: {
    spec: {
      fields: {
        replicas: { default: 1 },
        selector: atomicMap,
        template: podTemplate,
        strategy: { default: {}, fields: { type: { default: 'RollingUpdate' } } },
        revisionHistoryLimit: { default: 10 },
        progressDeadlineSeconds: { default: 600 },
      },
    },
    status: { fields: { conditions: conditionsWith('lastUpdateTime', 'lastTransitionTime') } },
  },
}

export const replicaSetShape: Shape = {
  fields: {
    spec: { fields: { replicas: { default: 1 }, selector: atomicMap, template: podTemplate } },
    status: { fields: { conditions: conditionsWith('lastTransitionTime') } },
  },
}

const rolling = (rollingUpdate: Json): Shape => ({
  default: {},
  fields: { type: { default: 'RollingUpdate' }, rollingUpdate: { default: rollingUpdate } },
})

export const statefulSetShape: Shape = {
  fields: {
    spec: {
      fields: {
        replicas: { default: 1 },
        selector: atomicMap,
        template: podTemplate,
        podManagementPolicy: { default: 'OrderedReady' },
        updateStrategy: rolling({ partition: 0 }),
        revisionHistoryLimit: { default: 10 },
      },
    },
    status: { fields: { conditions: conditionsWith('lastTransitionTime') } },
  },
}

export const daemonSetShape: Shape = {
  fields: {
    spec: {
      fields: {
        selector: atomicMap,
        template: podTemplate,
        updateStrategy: rolling({ maxUnavailable: 1, maxSurge: 0 }),
        revisionHistoryLimit: { default: 10 },
      },
    },
    status: { fields: { conditions: conditionsWith('lastTransitionTime') } },
  },
}

export const namespaceShape: Shape = { fields: { status: conditionedStatus } }

export const serviceShape: Shape = {
  fields: {
    spec: {
      fields: {
        type: { default: 'ClusterIP' },
        sessionAffinity: { default: 'None' },
        internalTrafficPolicy: { default: 'Cluster' },
        selector: atomicMap,
        ports: { list: ['port', 'protocol'], items: { fields: { protocol: { default: 'TCP' } } } },
      },
    },
    status: conditionedStatus,
  },
}

export const configMapShape: Shape = { fields: { data: texts, binaryData: texts } }

export const secretShape: Shape = {
  fields: { data: texts, stringData: texts, type: { default: 'Opaque' } },
}

export const serviceAccountShape: Shape = { fields: { secrets: { list: ['name'], items: atomicMap } } }

export const eventShape: Shape = { fields: { involvedObject: atomicMap, related: atomicMap } }

export const endpointsShape: Shape = {
  fields: { subsets: { items: { fields: { ports: { items: { fields: { protocol: { default: 'TCP' } } } } } } } },
}

export const endpointSliceShape: Shape = {
  fields: {
    endpoints: { items: { fields: { conditions: { default: {} } } } },
    ports: { items: { fields: { name: { default: '' }, protocol: { default: 'TCP' } } } },
  },
}

export const disruptionBudgetShape: Shape = {
  fields: { spec: { fields: { selector: atomicMap } }, status: conditionedStatus },
}

export const autoscalerShape: Shape = {
  fields: { spec: { fields: { minReplicas: { default: 1 } } }, status: conditionedStatus },
}

export const crdShape: Shape = {
  fields: {
    spec: { fields: { conversion: { default: { strategy: 'None' } } } },
    status: conditionedStatus,
  },
}
