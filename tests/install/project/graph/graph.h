#error "a header of this project, which sinter must not take for its own"
