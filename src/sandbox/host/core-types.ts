/**
 * The part of the module `@azure/functions-core` that the library `@azure/functions` 4.x uses. In Azure the Node worker
 * provides that module at run time; nothing publishes it. Names are the worker's, read from its public sources.
 */
export type CoreLogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none'
export type CoreLogCategory = 'user' | 'system' | 'customMetric'

/** One value on its way into or out of a function; exactly one member is set. */
export interface TypedData {
  readonly string?: string
  readonly json?: string
  readonly bytes?: Uint8Array
  readonly http?: HttpData
}

/** A request or an answer carried whole, not streamed. */
export interface HttpData {
  readonly url?: string
  readonly method?: string
  readonly statusCode?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly nullableHeaders?: Readonly<Record<string, { readonly value: string }>>
  readonly nullableParams?: Readonly<Record<string, { readonly value: string }>>
  readonly nullableQuery?: Readonly<Record<string, { readonly value: string }>>
  readonly body?: TypedData | null
  readonly cookies?: readonly CookieData[]
}

/** A cookie as the library hands it over when it does not stream. */
export interface CookieData {
  readonly name: string
  readonly value: string
  readonly domain?: { readonly value: string }
  readonly path?: { readonly value: string }
  readonly expires?: { readonly value: { readonly seconds: number } }
  readonly secure?: { readonly value: boolean }
  readonly httpOnly?: { readonly value: boolean }
  readonly sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone'
  readonly maxAge?: { readonly value: number }
}

/** A trigger, input or output of a function. Members beside these depend on `type`. */
export interface BindingInfo {
  readonly type: string
  readonly direction: 'in' | 'out' | 'inout'
  readonly [property: string]: unknown
}

/** Whole seconds: the library rounds what an app asks for. */
export interface DurationData {
  readonly seconds: number
}

/** How a failed execution is run again. `maxRetryCount` -1 is for ever. */
export interface RetryOptions {
  readonly retryStrategy: 'fixedDelay' | 'exponentialBackoff'
  readonly maxRetryCount: number
  readonly delayInterval?: DurationData
  readonly minimumInterval?: DurationData
  readonly maximumInterval?: DurationData
}

export interface FunctionMetadata {
  readonly name: string
  readonly functionId?: string
  readonly bindings: Readonly<Record<string, BindingInfo>>
  readonly retryOptions?: RetryOptions
}

export type FunctionCallback = (...args: unknown[]) => unknown

export interface RetryContextData {
  readonly retryCount: number
  readonly maxRetryCount: number
  readonly exception?: { readonly message: string; readonly source: string; readonly stackTrace: string }
}

export interface TraceContextData {
  readonly traceParent: string
  readonly traceState: string
  readonly attributes: Readonly<Record<string, string>>
}

export interface InvocationRequest {
  readonly invocationId: string
  readonly functionId: string
  readonly inputData: readonly { readonly name: string; readonly data: TypedData }[]
  readonly triggerMetadata: Readonly<Record<string, TypedData>>
  readonly traceContext: TraceContextData
  readonly retryContext?: RetryContextData
}

export interface InvocationResponse {
  readonly invocationId: string
  readonly returnValue?: TypedData | null
  readonly outputData?: readonly { readonly name: string; readonly data: TypedData }[]
}

export interface CoreInvocationContext {
  readonly invocationId: string
  readonly request: InvocationRequest
  readonly metadata: FunctionMetadata
  state: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined
  log(level: CoreLogLevel, category: CoreLogCategory, message: string): void
}

/** What the library makes for each invocation. */
export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>
  getResponse(context: unknown, result: unknown): Promise<InvocationResponse>
}

/** What the library registers once a process. */
export interface ProgrammingModel {
  readonly name: string
  readonly version: string
  getInvocationModel(context: CoreInvocationContext): InvocationModel | Promise<InvocationModel>
  getCapabilities?(defaults: Record<string, string>): Record<string, string> | Promise<Record<string, string>>
}

export type HookName = 'preInvocation' | 'postInvocation' | 'appStart' | 'appTerminate' | 'log'
export type HookCallback = (context: object) => unknown
