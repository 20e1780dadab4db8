-- The queue's storage. Made, and made anew from version to version, by Schema.cs in one transaction, as the user that owns the cluster.
-- What is hot is only ever inserted into and emptied by TRUNCATE: jobs that are ready (a ring of four tables a queue) and receipts (two tables
-- that take turns). No trigger, no NOTIFY, no counter that changes: a transaction that stays open for long makes none of it slower.

create table ashlar.state (
    one boolean primary key default true check (one),
    version int not null,
    system bigint not null,          -- the cluster that the transaction ids in these tables are of
    epoch bigint not null default 0, -- grows with every dispatcher: one that is not the newest is refused
    holder text,
    since timestamptz
);

create sequence ashlar.jobs;         -- ids of jobs, as people see them
create sequence ashlar.places;       -- places in the queues: a job that comes back gets another

create table ashlar.queues (
    id int primary key generated always as identity (maxvalue 100000),
    name text collate "C" not null unique,
    slot int not null default 0,     -- which table of its ring takes new jobs
    attempts int not null default 20,
    lease interval,                  -- set: its workers answer 202 and complete later
    declared boolean not null default true,
    paused boolean not null default false,
    born pg_snapshot not null default pg_current_snapshot()
);

create table ashlar.ready (
    part int not null,               -- queue * 4 + slot
    place bigint not null default nextval('ashlar.places'),
    xid xid8 not null default pg_current_xact_id(),
    job bigint not null,
    attempt int not null,
    delivery int not null,
    attempts int not null,
    at timestamptz not null default clock_timestamp(),
    enqueued timestamptz not null,
    key text,
    trace text,
    payload jsonb not null
) partition by list (part);

-- kind: c claimed (xids, places), d done (places), k checkpoint (what is open)
create table ashlar.receipts_0 (
    n bigint not null, queue int not null, kind "char" not null, base pg_snapshot, upto pg_snapshot, xid xid8, place bigint, xids xid8[], places bigint[]
) with (autovacuum_enabled = false);
create table ashlar.receipts_1 (like ashlar.receipts_0) with (autovacuum_enabled = false);

create table ashlar.scheduled (
    job bigint primary key, queue int not null, due timestamptz not null, attempt int not null, delivery int not null, attempts int not null,
    enqueued timestamptz not null, key text, trace text, error text, failed timestamptz, payload jsonb not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index scheduled_due on ashlar.scheduled (due);

create table ashlar.leases (
    job bigint primary key, queue int not null, until timestamptz not null, runner bigint, attempt int not null, delivery int not null, attempts int not null,
    at timestamptz not null, enqueued timestamptz not null, key text, trace text, payload jsonb not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100);

create table ashlar.dead (
    job bigint primary key, queue int not null, died timestamptz not null default clock_timestamp(), attempt int not null, delivery int not null, attempts int not null,
    enqueued timestamptz not null, key text, trace text, error text, payload jsonb not null
);
create index dead_queue on ashlar.dead (queue, died);

create table ashlar.keys (queue int not null, key text collate "C" not null, job bigint not null, primary key (queue, key))
    with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

create table ashlar.archive (
    job bigint not null, queue int not null, attempt int not null, enqueued timestamptz not null, started timestamptz not null, ended timestamptz not null, trace text
) partition by range (ended);
-- Some pages a day, and nothing to do for it when a job is done: what is new is summarized each minute (ClaimStore.Upkeep.cs).
create index archive_ended on ashlar.archive using brin (ended);

create table ashlar.schedules (
    name text collate "C" primary key, since timestamptz not null default clock_timestamp(), text text not null, declared boolean not null default true,
    paused boolean not null default false
);
create table ashlar.ticks (
    schedule text collate "C" not null, at timestamptz not null, fired timestamptz not null default clock_timestamp(), job bigint, skipped text,
    primary key (schedule, at)
);

-- A job waits longer from attempt to attempt: 2 s, 4 s, … up to an hour, a quarter more or less so that those that failed together do not
-- come back together.
create function ashlar.backoff(attempt int) returns interval language sql volatile
    as $$ select make_interval(secs => least(3600, power(2, least(attempt, 20))) * (0.75 + random() / 2)) $$;

create function ashlar.check_job(payload jsonb, key text, attempts int, trace text, due timestamptz) returns void language plpgsql
    set search_path = pg_catalog, pg_temp as $$
begin
    -- Compressed, 8 kB hold less than a MiB: below, there is no need to write it out.
    if pg_column_size(payload) > 8000 and octet_length(payload::text) > 1048576 then
        raise exception 'ASH3210: the payload of a job may have 1 MiB, and this one has % bytes', octet_length(payload::text)
            using errcode = 'program_limit_exceeded', hint = 'Store what is large elsewhere and enqueue where it lies.';
    end if;
    if payload is null then
        raise exception 'ASH3211: a job needs a payload; NULL is none' using errcode = 'null_value_not_allowed', hint = 'Pass ''{}'' where there is nothing to say.';
    end if;
    if length(key) > 512 or length(trace) > 512 or attempts not between 1 and 1000 then
        raise exception 'ASH3212: a key or a trace of at most 512 characters and 1 to 1000 attempts are taken' using errcode = 'invalid_parameter_value';
    end if;
    if not isfinite(due) or due > clock_timestamp() + interval '100 years' then
        raise exception 'ASH3212: a job is put off for 100 years at most, and not until %', due using errcode = 'invalid_parameter_value';
    end if;
end $$;

-- Puts a job into a queue, as part of the transaction that it is called in: when that commits, the job is there, and when it does not, it never was.
-- Gives the job's id; with a key that a job of the queue has which is not finished yet, that job's id, and nothing is put in.
create function ashlar.enqueue(
    queue text, payload jsonb default '{}', delay interval default null, run_at timestamptz default null, key text default null,
    attempts int default null, trace text default null)
    returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    q ashlar.queues;
    id bigint;
    due timestamptz := coalesce(enqueue.run_at, clock_timestamp() + enqueue.delay);
begin
    select * into q from ashlar.queues s where s.name = enqueue.queue;
    if not found then
        raise exception 'ASH3213: there is no queue "%"', enqueue.queue
            using errcode = 'undefined_object', hint = 'Queues are named under "jobs:" in the stack file: ' || coalesce((select string_agg(name, ', ' order by name) from ashlar.queues where declared), 'none is') || '.';
    end if;
    perform ashlar.check_job(enqueue.payload, enqueue.key, enqueue.attempts, enqueue.trace, due);
    id := nextval('ashlar.jobs');
    if enqueue.key is not null then
        loop
            insert into ashlar.keys values (q.id, enqueue.key, id) on conflict do nothing;
            exit when found;
            declare
                other bigint;
            begin
                select k.job into other from ashlar.keys k where k.queue = q.id and k.key = enqueue.key;
                if found then
                    return other;
                end if;
            end;
            -- Under REPEATABLE READ the one that is in the way may be invisible for ever.
            if current_setting('transaction_isolation') <> 'read committed' then
                raise exception 'ASH3214: a job with this key was enqueued meanwhile' using errcode = 'serialization_failure', hint = 'Try the transaction again.';
            end if;
        end loop;
    end if;
    if due > clock_timestamp() then
        insert into ashlar.scheduled (job, queue, due, attempt, delivery, attempts, enqueued, key, trace, payload)
            values (id, q.id, due, 1, 1, coalesce(enqueue.attempts, q.attempts), clock_timestamp(), enqueue.key, enqueue.trace, enqueue.payload);
    else
        insert into ashlar.ready (part, job, attempt, delivery, attempts, enqueued, key, trace, payload)
            values (q.id * 4 + q.slot, id, 1, 1, coalesce(enqueue.attempts, q.attempts), clock_timestamp(), enqueue.key, enqueue.trace, enqueue.payload);
    end if;
    return id;
end $$;

-- Puts many jobs into a queue in one statement; gives their ids in the order of the payloads.
create function ashlar.enqueue_many(queue text, payloads jsonb[], delay interval default null, run_at timestamptz default null, attempts int default null, trace text default null)
    returns bigint[] language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    q ashlar.queues;
    ids bigint[];
    due timestamptz := coalesce(enqueue_many.run_at, clock_timestamp() + enqueue_many.delay);
begin
    select * into q from ashlar.queues s where s.name = enqueue_many.queue;
    if not found then
        raise exception 'ASH3213: there is no queue "%"', enqueue_many.queue
            using errcode = 'undefined_object', hint = 'Queues are named under "jobs:" in the stack file: ' || coalesce((select string_agg(name, ', ' order by name) from ashlar.queues where declared), 'none is') || '.';
    end if;
    perform ashlar.check_job(p, null, enqueue_many.attempts, enqueue_many.trace, due) from unnest(enqueue_many.payloads) p;
    select coalesce(array_agg(nextval('ashlar.jobs')), '{}') into ids from generate_series(1, cardinality(enqueue_many.payloads));
    if due > clock_timestamp() then
        insert into ashlar.scheduled (job, queue, due, attempt, delivery, attempts, enqueued, trace, payload)
            select i, q.id, due, 1, 1, coalesce(enqueue_many.attempts, q.attempts), clock_timestamp(), enqueue_many.trace, p from unnest(ids, enqueue_many.payloads) u(i, p);
    else
        insert into ashlar.ready (part, job, attempt, delivery, attempts, enqueued, trace, payload)
            select q.id * 4 + q.slot, i, 1, 1, coalesce(enqueue_many.attempts, q.attempts), clock_timestamp(), enqueue_many.trace, p from unnest(ids, enqueue_many.payloads) u(i, p);
    end if;
    return ids;
end $$;

-- What a lease stands for, taken from among the leases: by whoever calls this first, and by nobody else.
create function ashlar.take(lease text) returns ashlar.leases language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    l ashlar.leases;
begin
    delete from ashlar.leases s where s.job = split_part(take.lease, '.', 1)::bigint and s.delivery = split_part(take.lease, '.', 2)::int and s.runner is null
        returning * into l;
    if not found then
        raise exception 'ASH3215: the lease "%" is not held: the job was finished, or taken from its worker because no heartbeat came in time', lease
            using errcode = 'object_not_in_prerequisite_state', hint = 'Roll back what was done for the job: it is done by another, or will be.';
    end if;
    return l;
end $$;

-- For a queue with a lease: the job goes on. False: it was taken away, and its work is to be given up.
create function ashlar.heartbeat(lease text) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    update ashlar.leases l set until = clock_timestamp() + coalesce((select q.lease from ashlar.queues q where q.id = l.queue), '15 s')
        where l.job = split_part(heartbeat.lease, '.', 1)::bigint and l.delivery = split_part(heartbeat.lease, '.', 2)::int and l.runner is null;
    return found;
end $$;

-- For a queue with a lease: the job is done, as part of the transaction that this is called in.
create function ashlar.complete(lease text) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    l ashlar.leases := ashlar.take(complete.lease);
begin
    delete from ashlar.keys k where k.queue = l.queue and k.key = l.key and k.job = l.job;
    insert into ashlar.archive values (l.job, l.queue, l.attempt, l.enqueued, l.at, clock_timestamp(), l.trace);
end $$;

-- For a queue with a lease: the attempt has failed; the job comes back later, or is dead.
create function ashlar.fail(lease text, error text default '', retry_in interval default null) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    l ashlar.leases := ashlar.take(fail.lease);
begin
    if l.attempt >= l.attempts then
        insert into ashlar.dead (job, queue, attempt, delivery, attempts, enqueued, key, trace, error, payload)
            values (l.job, l.queue, l.attempt, l.delivery, l.attempts, l.enqueued, l.key, l.trace, left(fail.error, 2000), l.payload);
        delete from ashlar.keys k where k.queue = l.queue and k.key = l.key and k.job = l.job;
    else
        insert into ashlar.scheduled values (l.job, l.queue, clock_timestamp() + coalesce(fail.retry_in, ashlar.backoff(l.attempt)), l.attempt + 1, l.delivery + 1, l.attempts,
            l.enqueued, l.key, l.trace, left(fail.error, 2000), clock_timestamp(), l.payload);
    end if;
end $$;

-- Only the newest dispatcher may go on; it cannot be replaced while its transaction runs.
create function ashlar.hold(epoch bigint) returns void language plpgsql as $$
begin
    perform 1 from ashlar.state s where s.epoch = hold.epoch for share;
    if not found then
        raise exception 'ASH3203: another dispatcher has taken over from epoch %', hold.epoch using errcode = 'object_not_in_prerequisite_state';
    end if;
end $$;

-- Fires a schedule for one time of its clock: once, whoever asks and however often.
create function ashlar.fire(schedule text, at timestamptz, queue text, payload jsonb, skip boolean) returns boolean
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    busy boolean := false;
begin
    insert into ashlar.ticks (schedule, at) values (fire.schedule, fire.at) on conflict do nothing;
    if not found then
        return false;
    end if;
    if fire.skip then
        busy := exists (select from ashlar.keys k join ashlar.queues q on q.id = k.queue where q.name = fire.queue and k.key = 'schedule ' || fire.schedule);
    end if;
    if busy then
        update ashlar.ticks t set skipped = 'the one before still runs' where t.schedule = fire.schedule and t.at = fire.at;
    else
        update ashlar.ticks t set job = ashlar.enqueue(fire.queue, fire.payload, key => case when fire.skip then 'schedule ' || fire.schedule end)
            where t.schedule = fire.schedule and t.at = fire.at;
    end if;
    return true;
end $$;
