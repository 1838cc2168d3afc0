/**
 * SQL for the number of the newest event in the stream of a run `r`. A workflow under way is not written for each event of its steps:
 * there, the events themselves know.
 */
export const LAST_SEQ = `case when r.kind = 'WORKFLOW' and r.parent_id is null and r.finished_at is null then greatest(r.last_seq, (
    select coalesce(e.last_seq, e.seq) from action_do.written_events e
    where e.bucket = r.bucket and e.root_id = r.id order by e.seq desc limit 1
  )) else r.last_seq end`
