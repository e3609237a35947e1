/* System V AMD64 ABI section 3.2.1: rbx, rbp, r12-r15, the x87 control word and the control bits of
 * mxcsr belong to the caller of a function; everything else may be lost across a call.
 *
 * Leaving by a jump instead of `ret`: the processor's return predictor belongs to the other stack
 * and would always guess wrong. */
    .text
    .globl coro_switch_stacks
    .hidden coro_switch_stacks
    .type coro_switch_stacks, @function
    .p2align 4
coro_switch_stacks: /* rdi: where to keep this stack pointer, rsi: the one to go on with */
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    addq $8, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    popq %rcx
    jmp *%rcx
    .size coro_switch_stacks, . - coro_switch_stacks

/* First instruction of every coroutine. The undefined return address ends backtraces here. */
    .globl coro_switch_start
    .hidden coro_switch_start
    .type coro_switch_start, @function
    .p2align 4
coro_switch_start:
    .cfi_startproc
    .cfi_undefined rip
    movq %r13, %rdi
    call *%r12
    ud2
    .cfi_endproc
    .size coro_switch_start, . - coro_switch_start

    .section .note.GNU-stack, "", @progbits
