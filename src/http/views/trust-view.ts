import * as z from 'zod'
import { PROVIDERS } from '../../model/cluster.ts'
import { caCertificateView } from './ca-certificate-view.ts'

const startsView = z.object({
  count: z.int(),
  oldestStart: z.string().optional().describe('RFC 3339: of the one that runs longest'),
})

export const trustView = z
  .object({
    provider: z.enum(PROVIDERS).optional(),
    reason: z.string().describe('Read, NoBundles, NotObservable, Denied or NoMesh'),
    message: z.string(),
    bundles: z
      .array(
        z.object({
          roots: z.array(caCertificateView).describe('In the order of the bundle; empty: no readable root'),
          namespaces: z.int(),
          examples: z.array(z.string()).describe('Up to five of the namespaces'),
        }),
      )
      .describe('Namespaces whose trust bundles hold the same roots, the largest group first; 20 at most'),
    linkerd: z
      .object({
        anchors: z
          .array(
            z.object({
              sha256: z.string().describe('Of the text of the anchors that they started with; empty: they do not say'),
              pods: z.int(),
              current: z.boolean().describe('Whether the ConfigMap holds these anchors now'),
            }),
          )
          .describe('Pods with a proxy, those of the control plane apart, the most first; 20 at most'),
        pods: startsView,
        controlPlane: startsView,
      })
      .optional()
      .describe('Of Linkerd, whose proxies read trust anchors when they start: which Pods started with which'),
    workloadTtl: z
      .object({
        registered: z.string().optional().describe('As the registered CA says'),
        controlPlane: z.string().optional().describe('As the control plane is told; read of Linkerd alone'),
      })
      .optional()
      .describe('How long certificates of workloads live'),
    meshCas: z.array(z.string()).describe('Names of the mesh CAs that are registered for the cluster'),
    rotation: z
      .object({
        by: z
          .enum(['meshwright', 'hand', 'none'])
          .describe('Who can rotate the CA: meshwright, a person as documented, or nobody without failed requests'),
        way: z.string(),
      })
      .optional(),
  })
  .meta({
    id: 'TrustReport',
    examples: [
      {
        provider: 'istio',
        reason: 'Read',
        message: '12 ConfigMaps istio-ca-root-cert were read.',
        bundles: [
          {
            roots: [
              {
                serial: '5f2a',
                fingerprint: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
                subject: 'O=mesh, CN=root-a',
                notBefore: '2026-05-01T10:00:00.000Z',
                notAfter: '2036-04-28T10:00:00.000Z',
              },
            ],
            namespaces: 12,
            examples: ['default', 'shop'],
          },
        ],
        meshCas: ['east-ca'],
        rotation: { by: 'meshwright', way: 'POST /certificates/east-ca/rotate' },
      },
    ],
  })
