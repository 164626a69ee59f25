import { isPortError } from './port-error.ts'

/**
 * What was asked of a cluster; undefined where its rights do not go so far. A token that is refused altogether is no matter of
 * rights: it is thrown, as every other PortError.
 */
export async function unlessDenied<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (isPortError(error, 'denied') && error.reason !== 'TokenRefused') return undefined
    throw error
  }
}
