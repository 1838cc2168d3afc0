import { MAX_DELAY_MS } from '../retry.ts'
import { ON_ERROR } from '../workflow/graph.ts'
import { STEP_PROPERTIES } from './json-schema-step.ts'
import { MAX_DESCRIPTION_LENGTH, MAX_NAME_LENGTH, MAX_STEPS } from './limits.ts'
import { KINDS, membersOfKind, NAME } from './step-kinds.ts'

/**
 * The format of a definition, for editors and for whoever generates one. What a schema cannot say is checked on acceptance
 * besides: expressions and what they name, circles, unknown steps, actions and workflows.
 */
export const DEFINITION_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'action.do workflow definition',
  description:
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the format's own
    'A workflow given as data. Texts in params, value and result may hold ${ expression } in the Common Expression Language: a text that is one expression gives its value, otherwise it is put into the text; $${ is a literal ${.',
  type: 'object',
  required: ['name', 'steps'],
  additionalProperties: false,
  properties: {
    $schema: {
      description: 'The address of this schema, for editors. It is ignored.',
      type: 'string',
      minLength: 1,
      maxLength: MAX_DESCRIPTION_LENGTH,
    },
    name: { description: 'The name.', type: 'string', pattern: NAME.source, maxLength: MAX_NAME_LENGTH },
    version: {
      description: 'Recorded with each run; informs people. Default "1".',
      type: 'string',
      minLength: 1,
      maxLength: MAX_NAME_LENGTH,
    },
    description: { description: 'For people.', type: 'string', minLength: 1, maxLength: MAX_DESCRIPTION_LENGTH },
    onError: {
      description:
        'What a step without a word of its own does when it has finally failed. fail (default): what does not depend on it goes on, then the workflow fails. continue: its dependents run, and see { result, error }. compensate: what was completed is undone in reverse order.',
      enum: ON_ERROR,
    },
    deadlineMs: {
      description: 'Milliseconds from its start after which a run fails. Default: none.',
      type: 'integer',
      minimum: 1,
      maximum: MAX_DELAY_MS,
    },
    paramsSchema: {
      description:
        'A JSON Schema (2020-12) of the params; its defaults are filled in. Without pattern, patternProperties, $id, $dynamicRef and unevaluated*; $ref only to # and #/$defs/name.',
      type: ['object', 'boolean'],
    },
    steps: {
      description: 'The steps. Each follows the one before it, unless it has `after`.',
      type: 'array',
      minItems: 1,
      maxItems: MAX_STEPS,
      items: { $ref: '#/$defs/step' },
    },
    result: { description: 'A template: the result of the workflow. Default: that of the step declared last.' },
  },
  $defs: {
    step: {
      description: `A step. Exactly one of ${KINDS.join(', ')} says what it does.`,
      type: 'object',
      required: ['key'],
      properties: STEP_PROPERTIES,
      dependentRequired: {
        concurrency: ['forEach'],
        need: ['forEach'],
        until: ['forEach'],
        rest: ['forEach'],
        more: ['forEach'],
        fallback: ['deadlineMs'],
        others: ['join'],
      },
      dependentSchemas: {
        rest: { anyOf: [{ required: ['need'] }, { required: ['until'] }] },
        payloadSchema: { anyOf: ['signal', 'approval', 'more'].map((member) => ({ required: [member] })) },
      },
      not: { anyOf: [{ required: ['forEach', 'repeat'] }, { required: ['need', 'until'] }] },
      oneOf: KINDS.map((kind) => ({ required: [kind], propertyNames: { enum: [...membersOfKind(kind)] } })),
      if: { required: ['approval'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema; nobody awaits this
      then: {
        properties: {
          fallback: {
            type: 'object',
            required: ['approved'],
            additionalProperties: false,
            properties: { approved: { type: 'boolean' }, comment: { type: ['string', 'null'] }, payload: true },
          },
        },
      },
    },
  },
} as const
