// Builds dist/graphiql.html.gz: GraphiQL with its editor, workers, fonts and our examples in one page that loads nothing else.
// Compressed once here (9 MB to 2.4 MB), so that the server only hands it out.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import * as graphiql from '@graphql-yoga/render-graphiql/graphiql'
import { json, page, script, style } from './graphiql/page.mjs'

const scripts = dirname(fileURLToPath(import.meta.url))
const require = createRequire(import.meta.url)
const part = (name) => readFileSync(join(scripts, 'graphiql', name), 'utf8')

/** The operations of examples/operations, in the order of their file names, as GraphiQL's tabs. */
function exampleTabs(root) {
  const folder = join(root, 'examples', 'operations')
  const files = readdirSync(folder).filter((name) => name.endsWith('.graphql'))
  return files.sort().map((name) => {
    const query = readFileSync(join(folder, name), 'utf8').trim()
    // an empty id stands for the run seen last: see api-key.js
    return query.includes('$id: ID!') ? { query, variables: '{\n  "id": ""\n}' } : { query }
  })
}

// The editor starts its workers from the page's own text: blob addresses need no second request.
const workers = () => `
const workers = Object.fromEntries(
  Object.entries(${json({
    editorWorkerService: graphiql.editorWorkerService,
    json: graphiql.jsonWorker,
    graphql: graphiql.graphqlWorker,
  })}).map(([label, source]) => [label, URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))]),
)
globalThis.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_module, label) => workers[label] }
`

const license = () =>
  readFileSync(join(dirname(require.resolve('@graphql-yoga/render-graphiql/package.json')), 'LICENSE'), 'utf8')

function graphiqlPage(root) {
  const logo = part('logo.svg').trim()
  return page({
    title: 'action.do – GraphiQL',
    notice: `GraphiQL as packaged by GraphQL Yoga:\n\n${license()}`,
    icon: logo,
    styles: [style(graphiql.css, 'graphiql.css'), style(part('bar.css'), 'bar.css')],
    body: part('bar.html'),
    options: { logo, tabs: exampleTabs(root) },
    scripts: [
      script(part('api-key.js'), 'api-key.js'),
      script(part('event-list.js'), 'event-list.js'),
      script(part('bar.js'), 'bar.js'),
      script(workers(), 'workers.js'),
      script(graphiql.js, 'graphiql.js'),
      script(part('boot.js'), 'boot.js'),
    ],
  })
}

export function buildGraphiql(root) {
  const dist = join(root, 'dist')
  mkdirSync(dist, { recursive: true })
  writeFileSync(join(dist, 'graphiql.html.gz'), gzipSync(graphiqlPage(root), { level: 9 }))
}
