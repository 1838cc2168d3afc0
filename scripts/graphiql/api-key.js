// The first script of the page: keeps the API key, and puts it on every request that GraphiQL makes.
;(() => {
  const KEY = 'action.do:api-key'
  const LAST_RUN = 'action.do:last-run'
  const RUN_ID = /"(run_[0-9a-z]{26})"/

  const listeners = []
  const tell = (event) => {
    for (const listener of listeners) listener(event)
  }

  const stored = () => sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? ''

  function store(key, remember) {
    sessionStorage.removeItem(KEY)
    localStorage.removeItem(KEY)
    if (key !== '') (remember ? localStorage : sessionStorage).setItem(KEY, key)
  }

  // The server's start banner links here with #key=…: a fragment is never sent to a server or written to its logs. It is
  // not read as a form, where a + would turn into a space.
  function takeFromAddress() {
    const match = /[#&]key=([^&]+)/.exec(location.hash)
    if (match === null) return false
    history.replaceState(history.state, '', location.pathname + location.search)
    try {
      store(decodeURIComponent(match[1]), localStorage.getItem(KEY) !== null)
    } catch {
      // not an encoded value: there is no key to take
    }
    return true
  }

  const isOurs = (url) => url.origin === location.origin && url.pathname === location.pathname

  const refusal = (message) =>
    new Response(JSON.stringify({ errors: [{ message }] }), { headers: { 'content-type': 'application/json' } })

  // An operation with $id and no value for it means the run seen last, so that the examples run without copying ids.
  function withLastRun(body) {
    const request = JSON.parse(body)
    const id = sessionStorage.getItem(LAST_RUN)
    if (id === null || request.variables?.id || !/\$id\s*:\s*ID!/.test(request.query)) return body
    return JSON.stringify({ ...request, variables: { ...request.variables, id } })
  }

  async function rememberRun(response) {
    const id = RUN_ID.exec(await response.text())?.[1]
    if (id === undefined) return
    sessionStorage.setItem(LAST_RUN, id)
    tell({ type: 'run', id })
  }

  const send = window.fetch.bind(window)

  window.fetch = async (input, init) => {
    const request = new Request(input, init)
    if (!isOurs(new URL(request.url))) return send(request)
    // a key written into GraphiQL's own headers pane wins
    const ownHeader = request.headers.has('authorization')
    if (!ownHeader) {
      const key = stored()
      if (key === '') return refusal('Enter an API key in the bar above. The server printed one when it started.')
      try {
        request.headers.set('authorization', `Bearer ${key}`)
      } catch {
        return refusal('The API key has characters that an HTTP header cannot carry.')
      }
    }
    const body = typeof init?.body === 'string' ? withLastRun(init.body) : undefined
    const response = await send(body === undefined ? request : new Request(request, { body }))
    if (response.status === 401 && !ownHeader) tell({ type: 'rejected' })
    if (response.headers.get('content-type')?.includes('json')) rememberRun(response.clone()).catch(() => {})
    return response
  }

  takeFromAddress()

  window.apiKey = {
    get: stored,
    set: store,
    isRemembered: () => localStorage.getItem(KEY) !== null,
    takeFromAddress,
    lastRun: () => sessionStorage.getItem(LAST_RUN),
    listen: (listener) => listeners.push(listener),
  }
})()
