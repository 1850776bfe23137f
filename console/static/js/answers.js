// A refusal comes as 200 with its status in a header: for an answer from 400 on the browser writes an error of its own.
export const statusOf = ({ status, headers }) => Number(headers.get("X-Refused")) || status

// Before anything else looks at it; htmx too decides by it whether to swap.
document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (ctx.response) ctx.response.status = statusOf(ctx.response)
})
