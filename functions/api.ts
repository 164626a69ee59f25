import { app } from '@azure/functions'
import { answerLiveness } from '../src/http/liveness.ts'
import { clientGone } from './shared/client-gone.ts'
import { heldApp } from './shared/held-app.ts'
import { toRequest, toResponse } from './shared/http-message.ts'
import { hasRole } from './shared/roles.ts'

if (hasRole('edge')) {
  app.setup({ enableHttpStream: true })
  app.http('api', {
    route: '{*path}',
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    // Tokens are checked by the routes, in every host alike.
    authLevel: 'anonymous',
    handler: async (request, { invocationId }) => {
      const asked = toRequest(request, clientGone(invocationId))
      return toResponse(answerLiveness(asked, invocationId) ?? (await (await heldApp()).http(asked)))
    },
  })
}
