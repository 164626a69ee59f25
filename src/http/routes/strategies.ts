import { BUILT_IN_STRATEGIES, strategySpec } from '../../model/strategy.ts'
import { hideWebhookAddresses } from '../../model/webhook-address.ts'
import { deleteStrategy } from '../../strategies/delete-strategy.ts'
import { putStrategy } from '../../strategies/put-strategy.ts'
import { strategyView } from '../views/plain-views.ts'
import { plainRoutes } from './plain.ts'

export const STRATEGY_ROUTES = plainRoutes({
  kind: 'strategy',
  collection: '/strategies',
  parameter: 'name',
  noun: 'Strategy',
  plural: 'Strategies',
  writers: ['Mesh.Admin'],
  schema: strategySpec,
  view: strategyView,
  example: {
    steps: [
      { weight: 10, for: '5m' },
      { weight: 50, for: '10m', analysis: true },
    ],
    bake: '30m',
    gates: [{ kind: 'errors', limitPercent: 1 }],
  },
  descriptions: {
    put: 'Named steps and gates for rollouts that start later; live ones keep theirs. "default" is used where a rollout names none.',
    delete: 'Live rollouts keep what they copied of it. A built-in one (default, blue-green, mirror) comes back.',
  },
  refusals: ['InvalidCombination'],
  builtIns: BUILT_IN_STRATEGIES,
  forReaders: hideWebhookAddresses,
  put: (deps, name, spec, context) => putStrategy(deps, name, spec, context),
  remove: (deps, name, context) => deleteStrategy(deps, name, context),
})
