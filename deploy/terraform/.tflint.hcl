# The rules for Terraform itself, all of them; those of AWS are a plugin that would have to be fetched.
plugin "terraform" {
  enabled = true
  preset  = "all"
}

# The files are named after what they are about: bootstrap's variables and outputs have theirs, and no main.tf.
rule "terraform_standard_module_structure" {
  enabled = false
}
