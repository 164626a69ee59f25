import { app } from '@azure/functions'
import { answerLiveness, answerUnavailable } from '../src/http/liveness.ts'
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
    handler: async (request, context) => {
      const { invocationId } = context
      const asked = toRequest(request, clientGone(invocationId))
      const alive = answerLiveness(asked, invocationId)
      if (alive) return toResponse(alive)
      try {
        return toResponse(await (await heldApp()).http(asked))
      } catch (error) {
        // Routes never throw: the app could not be made. A client must have its answer all the same.
        context.error(`The app cannot start: ${error instanceof Error ? error.message : 'unknown'}`)
        return toResponse(answerUnavailable(asked, invocationId))
      }
    },
  })
}
