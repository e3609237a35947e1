#!/usr/bin/env python3
"""Writes a room's migration scripts as one C file: embed_schema.py ROOM OUT.c 001_name.sqlite.sql ..."""
import os
import re
import sys

room, out, scripts = sys.argv[1], sys.argv[2], sorted(sys.argv[3:], key=os.path.basename)
lines = ['/* Made from the scripts in schema by embed_schema.py. */', '#include "engine/db.h"', '',
         f'extern const struct db_schema {room}_db_schema;', '',
         'static const struct db_migration migrations[] = {']
for expected, path in enumerate(scripts, 1):
    match = re.fullmatch(r'(\d{3})_([a-z0-9_]+)\.sqlite\.sql', os.path.basename(path))
    if match is None or int(match[1]) != expected:
        sys.exit(f'{path}: migrations are named NNN_name.sqlite.sql, numbered from 001 without gaps')
    lines.append(f'    {{{expected}, "{match[2]}",')
    with open(path, encoding='utf-8') as script:
        for line in script.read().splitlines():
            text = line.replace('\\', '\\\\').replace('"', '\\"')
            lines.append(f'     "{text}\\n"')
    lines[-1] += '},'
lines += ['};',
          f'const struct db_schema {room}_db_schema = {{"{room}", migrations, {len(scripts)}}};', '']
with open(out, 'w', encoding='utf-8') as target:
    target.write('\n'.join(lines))
