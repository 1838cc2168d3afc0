import { type ASTNode, GraphQLError } from 'graphql'

/** An entry of `errors` with a code, for a request that is wrong in itself; refusals by a command are union members instead. */
export function malformed(message: string, code: string, more: object = {}, place?: ASTNode): GraphQLError {
  return new GraphQLError(message, { extensions: { code, ...more }, nodes: place ?? null })
}

/** @param place in the document. */
export function badInput(message: string, more: object = {}, place?: ASTNode): GraphQLError {
  return malformed(message, 'BAD_USER_INPUT', more, place)
}

/** An argument in its range, or a BAD_USER_INPUT that names it. */
export function within(argument: string, value: number, min: number, max: number): number {
  if (value >= min && value <= max) return value
  throw badInput(`${argument} is ${value}; it must be ${min} to ${max}`, { argument })
}
