// GraphiQL shows the last event of a subscription only. Here each one brings the ones before it along, as an extension of
// the answer: the history of a run that has ended arrives at once, and would be gone before anybody could read it.
;(() => {
  const KEPT = 100

  function withEarlier(message, earlier) {
    const data = /^data: ?(.*)$/m.exec(message)?.[1]
    if (data === undefined || !/^event: ?next$/m.test(message)) return message
    const answer = JSON.parse(data)
    if (!answer.data) return message
    const extensions = { ...answer.extensions, ...(earlier.length > 0 && { earlier: [...earlier] }) }
    earlier.unshift(Object.values(answer.data)[0])
    earlier.length = Math.min(earlier.length, KEPT)
    return `event: next\ndata: ${JSON.stringify({ ...answer, ...(earlier.length > 1 && { extensions }) })}`
  }

  // messages of a stream of events end with an empty line, wherever the network cuts them
  function collect() {
    const earlier = []
    let rest = ''
    return new TransformStream({
      transform(text, controller) {
        const messages = (rest + text).split('\n\n')
        rest = messages.pop() ?? ''
        for (const message of messages) controller.enqueue(`${withEarlier(message, earlier)}\n\n`)
      },
    })
  }

  const send = window.fetch

  window.fetch = async (input, init) => {
    const response = await send(input, init)
    if (!response.headers.get('content-type')?.includes('text/event-stream')) return response
    const body = response.body
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(collect())
      .pipeThrough(new TextEncoderStream())
    return new Response(body, { status: response.status, headers: response.headers })
  }
})()
