-- Four roles, all without login: give them to whoever connects. Run by an administrator before the migrations.
do $$
declare
    name text;
begin
    foreach name in array array['caravel_owner', 'caravel_app', 'caravel_auditor', 'caravel_sealer'] loop
        if not exists (select from pg_roles where rolname = name) then
            begin
                execute format('create role %I nologin', name);
            exception when duplicate_object or unique_violation then  -- roles are shared by all databases of a server
                null;
            end;
        end if;
    end loop;
end
$$;
grant usage, create on schema public to caravel_owner;
grant usage on schema public to caravel_app, caravel_auditor, caravel_sealer;
