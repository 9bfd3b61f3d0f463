import { isPromiseLike } from './messages.js';

/** More of them help nobody, and a refusal with one for each of thousands of elements would be no payload any more. */
const MAX_ISSUES = 100;

/**
 * The Standard Schema interface, version 1 (https://standardschema.dev), written out here as its specification
 * allows: zod, valibot, arktype and others implement it, and nobody needs another dependency.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong with a payload, and where. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Any synchronous Standard Schema. The sender passes its input type, the receiver gets its output type. */
export type Schema<Input = unknown, Output = Input> = StandardSchema<Input, Output>;

type Types<S extends Schema> = NonNullable<S['~standard']['types']>;
/** What the sender passes. */
export type SchemaInput<S extends Schema> = Types<S>['input'];
/** What the receiver gets. */
export type SchemaOutput<S extends Schema> = Types<S>['output'];

/** Checks `value`. Throws a `TypeError` for an asynchronous schema: a message must not overtake another. */
export function validate(schema: Schema, value: unknown): SchemaResult<unknown> {
  const result = schema['~standard'].validate(value);
  // Of whichever kind: what is no `Promise` would else be taken for a result without issues.
  if (isPromiseLike(result)) {
    // Its outcome interests nobody any more, and must not become an unhandled rejection.
    result.then(undefined, () => undefined);
    throw new TypeError('asynchronous schemas are not supported: messages would overtake each other');
  }
  return result;
}

/** As they stand on the wire, the first ones: any codec has words for them. */
export function plainIssues(issues: readonly SchemaIssue[]): { message: string; path: string[] }[] {
  return issues.slice(0, MAX_ISSUES).map(({ message, path = [] }) => ({
    message,
    path: path.map((part) => String(typeof part === 'object' ? part.key : part)),
  }));
}

/** `text: must be a string; tags.0: too long`. */
export function describeIssues(issues: readonly SchemaIssue[]): string {
  return plainIssues(issues)
    .map(({ message, path }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ');
}
