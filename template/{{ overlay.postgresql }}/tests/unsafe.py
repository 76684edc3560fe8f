"""What a migration may not do without a reason, and the rule that says so."""

UNSAFE = [
    ("op.add_column('things', sa.Column('size', sa.Integer(), nullable=False))", "adding-required-field"),
    (
        "with op.batch_alter_table('things') as things: things.add_column(sa.Column('a', sa.Text(), nullable=False))",
        "adding-required-field",
    ),
    (
        "op.add_column('things', sa.Column('code', sa.Uuid(), server_default=sa.text('gen_random_uuid()')))",
        "adding-field-with-default",
    ),
    (
        "op.add_column('things', sa.Column('area', sa.Integer(), sa.Computed('size * size')))",
        "adding-field-with-default",
    ),
    ("op.alter_column('things', 'size', nullable=False)", "adding-not-nullable-field"),
    ("op.alter_column('things', 'size', type_=sa.BigInteger())", "changing-column-type"),
    ("op.alter_column('things', 'name', type_=sa.String(10))", "changing-column-type"),
    ("op.alter_column('things', 'size', new_column_name='width')", "renaming-column"),
    ("op.alter_column('things', 'size', server_default=None)", "ban-drop-default"),
    ("op.rename_table('things', 'others')", "renaming-table"),
    ("op.drop_column('things', 'size')", "ban-drop-column"),
    ("op.drop_table('things')", "ban-drop-table"),
    ("op.drop_constraint('ck_things_size', 'things')", "ban-drop-constraint"),
    ("op.create_index('ix_things_size', 'things', ['size'])", "require-concurrent-index-creation"),
    ("op.create_index('uq_things_size', 'things', ['size'], unique=True)", "require-concurrent-index-creation"),
    (
        "op.create_index('ix_things_size', 'things', ['size'], postgresql_concurrently=True)",
        "ban-concurrent-index-creation-in-transaction",
    ),
    (
        """with op.get_context().autocommit_block():
        op.create_index('uq_things_size', 'things', ['size'], unique=True, postgresql_concurrently=True)
    op.execute('ALTER TABLE things ADD CONSTRAINT uq_things_size UNIQUE USING INDEX uq_things_size')""",
        "mixed-with-autocommit",
    ),
    ("op.drop_index('ix_things_size')", "require-concurrent-index-deletion"),
    ("op.execute('REINDEX TABLE things')", "require-concurrent-reindex"),
    ("op.create_foreign_key('fk_things_of', 'things', 'others', ['of'], ['id'])", "adding-foreign-key-constraint"),
    (
        "op.add_column('things', sa.Column('of', sa.Integer(), sa.ForeignKey('others.id')))",
        "adding-foreign-key-constraint",
    ),
    ("op.create_check_constraint('ck_things_size', 'things', 'size > 0')", "constraint-missing-not-valid"),
    ("op.create_unique_constraint('uq_things_size', 'things', ['size'])", "disallowed-unique-constraint"),
    ("op.create_primary_key('pk_things', 'things', ['id'])", "adding-serial-primary-key-field"),
    ("op.execute('ALTER TYPE kind RENAME VALUE \\'a\\' TO \\'b\\'')", "renaming-object"),
    ("op.execute('DROP TYPE kind')", "ban-drop-type"),
    ("op.execute('DROP SCHEMA archive CASCADE')", "ban-drop-schema"),
    ("op.execute('ALTER TABLE things ADD a INT NOT NULL, DROP COLUMN size')", "ban-drop-column"),
    ("op.execute('UPDATE things SET size = 1')", "whole-table"),
    ("op.execute(sa.table('things', sa.column('size', sa.Integer())).update().values(size=1))", "whole-table"),
    ("op.execute('DELETE FROM things')", "whole-table"),
    ("op.execute('TRUNCATE things')", "truncate"),
    ("op.execute('LOCK TABLE things')", "lock-table"),
    ("op.execute('VACUUM FULL things')", "rewrite-table"),
    ("op.execute('CLUSTER things USING ix_things_size')", "rewrite-table"),
    ("op.execute('REFRESH MATERIALIZED VIEW counts')", "rewrite-table"),
    ("op.execute('ALTER TABLE things SET UNLOGGED')", "rewrite-table"),
    ("op.execute('ALTER TABLE things SET TABLESPACE slow')", "rewrite-table"),
    ("op.execute('SELECT from where')", "syntax-error"),
]
