import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildOpenApi } from '../src/http/openapi/build-openapi.ts'

/** Writes docs/openapi.json from the route table. A test holds the two together. */
const file = join(import.meta.dirname, '..', 'docs', 'openapi.json')
writeFileSync(file, `${JSON.stringify(buildOpenApi(), null, 2)}\n`)
